/** Files that people keep: load (detect → upgrade → validate), save, import, and what boots from them. */
export { loadMachine, readMachine, formatMachine, machineSchema, MACHINE_FORMAT } from './machine'
export type { MachineProfile, ProfileDevice, ProfileNode, ProfileReservation } from './machine'
export { toConfig } from './machine-config'
export { firmwareRanges, hardwareKind, lowMemory, nodeRanges, nodeSize, totalSize } from './memory-map'
export { importCapture, readTar, type CaptureFiles } from './import'
export {
  editLimit,
  importPods,
  limitTargets,
  type LimitEdit,
  type Target,
  KUBELET_DEFAULTS,
  nodeFactsOf,
  planSteps,
  stepLine,
  type KubeletOptions,
  type NodeFacts,
  type Plan,
  type PlannedContainer,
  type PlannedGroup,
  type PlannedPod,
  type PlanStep,
} from './import/pods'
export { formatCpuList, formatSize, parseCpuList, parseDuration, parseSize, spellSize } from './sizes'
export { DEVICE_KINDS, DEVICE_SPEED, type DeviceKind } from './devices'
export { TLB_NAMES, tlbGeometry, type ProfileTlb } from './tlb'
export { SYSCTLS, sysctlFault } from './sysctls'
export { loadScenario, scenarioSchema, SCENARIO_FORMAT, type Scenario } from './scenario'
export {
  formatSession,
  loadSession,
  sessionSchema,
  SESSION_FORMAT,
  type LoggedCommand,
  type SavedLab,
  type Session,
} from './session'
