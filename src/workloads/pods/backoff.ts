/** How long a container that has ended stays away. */
import { NS_PER_MS, NS_PER_S, type Ns } from '../../util/units'

export interface Backoff {
  /** Delay that holds for the next end; 0 = none has been set. */
  delayNs: Ns
  /** When it was set. */
  setNs: Ns
}

const KUBELET_FIRST: Ns = 10 * NS_PER_S
const KUBELET_MAX: Ns = 300 * NS_PER_S

/**
 * The first restart comes at once and sets 10 s; each further one waits for what is set, counted from the container's end,
 * and doubles it up to five minutes. After twice that time without a restart all is forgotten.
 * @returns how long to wait from the end on
 * @source  k8s.io/client-go/util/flowcontrol/backoff.go, kuberuntime_manager.go doBackOff()
 */
export function kubeletDelay(backoff: Backoff, endedNs: Ns): Ns {
  const isForgotten = backoff.delayNs === 0 || endedNs - backoff.setNs > 2 * KUBELET_MAX
  const wait = isForgotten ? 0 : backoff.delayNs
  backoff.delayNs = isForgotten ? KUBELET_FIRST : Math.min(backoff.delayNs * 2, KUBELET_MAX)
  backoff.setNs = endedNs + wait
  return wait
}

const DOCKER_FIRST: Ns = 100 * NS_PER_MS
const DOCKER_MAX: Ns = 60 * NS_PER_S
/** A container that ran so long starts from the first delay again. */
const DOCKER_GOOD_RUN: Ns = 10 * NS_PER_S

/** @source moby/restartmanager/restartmanager.go ShouldRestart() */
export function dockerDelay(backoff: Backoff, ranNs: Ns): Ns {
  if (ranNs >= DOCKER_GOOD_RUN) backoff.delayNs = 0
  backoff.delayNs = backoff.delayNs === 0 ? DOCKER_FIRST : Math.min(backoff.delayNs * 2, DOCKER_MAX)
  return backoff.delayNs
}
