/** Kubernetes manifests and compose files → a plan of groups and containers on one node. */
import type { Result } from '../../../util/result'
import { composeOf, isCompose } from './compose'
import { isKubernetes, PODS_MAX, podsOf } from './kubernetes'
import { planCompose, planPods } from './plan'
import type { KubeletOptions, NodeFacts, Plan } from './types'
import { catchFault, readYaml, refuse } from './yaml-tree'

export { editLimit, limitTargets, type LimitEdit, type Target } from './edit'
export { planSteps, stepLine, type PlanStep } from './lines'
export { KUBELET_DEFAULTS, nodeFactsOf } from './types'
export type { KubeletOptions, NodeFacts, Plan, PlannedContainer, PlannedGroup, PlannedPod } from './types'

/**
 * @param file     its name, for messages
 * @param node     the machine that the pods come to
 * @param options  which kubelet; compose files do not look at it
 */
export function importPods(text: string, file: string, node: NodeFacts, options: KubeletOptions): Result<Plan> {
  const documents = readYaml(text, file)
  if (!documents.ok) return documents
  return catchFault(() => {
    const notes: string[] = []
    const first = documents.value[0]!
    if (isCompose(first) && !isKubernetes(first)) {
      for (const other of documents.value.slice(1))
        refuse(other, 'documents', 'A compose file is one document.', 'Give the others by themselves.')
      return planCompose(composeOf(first, notes), node, notes)
    }
    for (const document of documents.value)
      if (!isKubernetes(document))
        refuse(
          document,
          'not-a-pod',
          'This is neither a Kubernetes manifest nor a compose file.',
          'A manifest has apiVersion and kind, a compose file has services.',
        )
    const pods = documents.value.flatMap((document) => podsOf(document, notes))
    if (pods.length === 0) refuse(first, 'no-pods', 'Nothing here makes a pod.', 'Give a Pod or a Deployment.')
    if (pods.length > PODS_MAX)
      refuse(first, 'too-many', `These are ${pods.length} pods.`, `A node takes ${PODS_MAX}: lower the replicas.`)
    const names = new Set<string>()
    for (const pod of pods) {
      const name = `${pod.namespace}/${pod.name}`
      if (names.has(name)) refuse(first, 'twice', `Two pods are called ${name}.`, 'Rename one.')
      names.add(name)
    }
    return planPods(pods, node, options, notes)
  })
}
