/**
 * Who may import whom, as data. An exception is a line here with an issue number, never an inline disable.
 * Tests beside the code are free to look around; everything else obeys.
 */
const MAY_IMPORT = {
  util: '',
  explain: 'util',
  engine: 'util',
  workloads: 'util|engine',
  recorder: 'util|engine',
  profiles: 'util|engine',
  shell: 'util|engine|workloads|explain|profiles',
  labs: 'util|engine|profiles',
  protocol: 'util|engine|profiles|labs',
  host: 'util|engine|workloads|recorder|profiles|shell|labs|protocol',
  renderer: 'util|protocol|profiles|labs|explain',
  preload: 'protocol',
  main: 'util|protocol|profiles',
  cli: 'util|engine|workloads|recorder|profiles|shell|labs|protocol|host',
}

/** Packages of the pure folders; the folders not named here may use none. */
const MAY_USE = { profiles: 'zod|yaml', labs: 'zod', shell: 'unbash' }
const PURE = ['util', 'explain', 'engine', 'workloads', 'recorder', 'profiles', 'shell', 'labs', 'protocol']

const TEST = '\\.test\\.ts$'
const ENTRIES = [
  'src/main/main\\.ts',
  'src/preload/preload\\.ts',
  'src/renderer/main\\.ts',
  'src/cli/main\\.ts',
  'src/host/(utility-process|web-worker)\\.ts',
]

/** Alive although no entry reaches them: support of tests, and the schemas' source, which a test compares with the files. */
const ALIVE_FOR_TESTS = [
  '/testing/',
  '/testing\\.ts$',
  '^src/host/memory-port\\.ts$',
  '^src/profiles/json-schema\\.ts$',
]

const folderRules = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `${folder}-may-import-${allowed || 'nothing'}`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: TEST },
  to: { path: '^src/', pathNot: `^src/(${folder}${allowed && '|' + allowed})/` },
}))

const packageRules = PURE.map((folder) => ({
  name: `${folder}-uses-${MAY_USE[folder] ?? 'no'}-packages`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: TEST },
  to: {
    dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'core'],
    ...(MAY_USE[folder] ? { pathNot: `^node_modules/(${MAY_USE[folder]})/` } : {}),
  },
}))

module.exports = {
  forbidden: [
    ...folderRules,
    ...packageRules,
    {
      name: 'mm-never-imports-what-stands-above-it',
      severity: 'error',
      from: { path: '^src/engine/mm/', pathNot: TEST },
      to: { path: '^src/engine/(procfs/|fs/|sched\\.ts|machine\\.ts|check\\.ts|index\\.ts)' },
    },
    {
      name: 'procfs-never-imports-the-machine',
      severity: 'error',
      from: { path: '^src/engine/procfs/', pathNot: TEST },
      to: { path: '^src/engine/(sched|machine|check|index)\\.ts' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'dynamic-import'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true, pathNot: '\\?(raw|url|worker)$' },
    },
    {
      name: 'no-dead-files',
      severity: 'error',
      from: { path: `^(${ENTRIES.join('|')})$` },
      to: {
        path: '^src/',
        pathNot: `${TEST}|\\.d\\.ts$|${[...ENTRIES, ...ALIVE_FOR_TESTS].join('|')}`,
        reachable: false,
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.vue', '.js', '.json', '.css'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
    },
    moduleSystems: ['es6', 'cjs'],
    cache: { folder: 'node_modules/.cache/dependency-cruiser', strategy: 'content' },
  },
}
