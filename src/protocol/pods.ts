/** Requests about Kubernetes pods and compose services: what a manifest would make, and which limit it needs. */
import type { KubeletOptions } from '../profiles'

/** The groups, values and containers that a manifest comes to on this machine; nothing is done yet. */
export interface PreviewPods {
  readonly kind: 'previewPods'
  /** YAML. */
  readonly text: string
  /** For messages. */
  readonly fileName: string
  readonly options: KubeletOptions
}
