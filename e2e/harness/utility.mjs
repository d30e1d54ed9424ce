// utilityProcess.fork: a child process of Node. This file is both ends: imported by main, preloaded into the child.
import { EventEmitter } from 'node:events'
import { fork } from 'node:child_process'
import { Bridge, checkPorts, clone } from './ports.mjs'

export const utilityProcesses = new Set()

export class UtilityProcess extends EventEmitter {
  #child
  #bridge

  constructor(path, args, options) {
    super()
    this.name = options.serviceName ?? 'Node Utility Process'
    this.#child = fork(path, args, {
      serialization: 'advanced',
      execArgv: ['--import', import.meta.url],
      env: { ...process.env, HARNESS_UTILITY: '1' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#bridge = new Bridge((port) => this.#send({ port }))
    utilityProcesses.add(this)
    this.#child.on('spawn', () => this.emit('spawn'))
    this.#child.on('message', (m) => (m.port ? this.#bridge.incoming(m.port) : this.emit('message', m.message)))
    this.#child.on('exit', (code) => {
      utilityProcesses.delete(this)
      this.#bridge.end()
      this.emit('exit', code ?? 1)
    })
  }

  get pid() {
    return this.#child.pid
  }

  #send(message) {
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  postMessage(message, transfer = []) {
    checkPorts(transfer)
    this.#send({ message: clone(message), ports: transfer.map((port) => this.#bridge.attach(port)) })
  }

  kill() {
    return this.#child.kill('SIGTERM')
  }
}

function actAsUtilityProcess() {
  const bridge = new Bridge((port) => process.send({ port }))
  const early = []
  const parentPort = Object.assign(new EventEmitter(), {
    postMessage: (message) => process.send({ message: clone(message) }),
  })
  const emit = (event) =>
    parentPort.listenerCount('message') > 0 ? parentPort.emit('message', event) : early.push(event)
  parentPort.on('newListener', (name) => {
    if (name === 'message') setImmediate(() => early.splice(0).forEach(emit))
  })
  Object.defineProperty(process, 'parentPort', { value: parentPort })
  Object.defineProperty(process, 'type', { value: 'utility' })
  process.on('message', (m) => {
    if (m.port) bridge.incoming(m.port)
    else emit({ data: m.message, ports: m.ports.map((id) => bridge.adopt(id)) })
  })
  process.on('disconnect', () => process.exit(0))
}

if (process.env.HARNESS_UTILITY === '1') actAsUtilityProcess()
