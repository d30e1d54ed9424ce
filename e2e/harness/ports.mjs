// MessagePortMain as Electron has it: paused until start(), copies every message, transfers nothing but ports.
import { EventEmitter } from 'node:events'
import { deserialize, serialize } from 'node:v8'

/** Throws, as Electron does, for what cannot be cloned: functions, promises, proxies. */
export const clone = (value) => deserialize(serialize(value))

/** An "end" is where messages go: { deliver(data), close() }. */
export class MessagePortMain extends EventEmitter {
  /** The other end of the channel. */
  out = undefined
  isTransferred = false
  #relay = undefined
  #inbox = []
  #isStarted = false
  #isOpen = true

  postMessage(message, transfer = []) {
    checkPorts(transfer)
    if (transfer.length > 0) throw new Error('harness: a port inside a port is not emulated')
    if (this.isTransferred) throw new Error('harness: this port was transferred and is dead here')
    if (this.#isOpen) this.out.deliver(clone(message))
  }

  start() {
    this.#isStarted = true
    for (const data of this.#inbox.splice(0)) this.#emitMessage(data)
  }

  close() {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.#relay) this.#relay.close()
    else this.emit('close')
    this.out.close()
  }

  /** What arrives from the other end. */
  deliver(data) {
    if (this.#relay) this.#relay.deliver(data)
    else if (this.#isStarted) this.#emitMessage(data)
    else this.#inbox.push(data)
  }

  /** The port was transferred: from now on this object only passes on what arrives. */
  relayTo(end) {
    this.isTransferred = true
    this.#relay = end
    for (const data of this.#inbox.splice(0)) end.deliver(data)
  }

  #emitMessage(data) {
    queueMicrotask(() => this.emit('message', { data, ports: [] }))
  }
}

/** Electron's own complaint: a buffer in the transfer list is an error (electron#34905). */
export function checkPorts(transfer) {
  transfer.forEach((port, index) => {
    if (!(port instanceof MessagePortMain)) throw new TypeError(`Port at index ${index} is not a valid port`)
    if (port.isTransferred) throw new TypeError(`Port at index ${index} is already neutered`)
  })
}

export class MessageChannelMain {
  port1 = new MessagePortMain()
  port2 = new MessagePortMain()
  constructor() {
    this.port1.out = this.port2
    this.port2.out = this.port1
  }
}

/** Carries ports over a transport (a child process, a page); both sides know a port by its id. */
export class Bridge {
  static #nextId = 1
  #ends = new Map()
  #post

  /** @param post  sends { id, data } or { id, close: true } to the other side */
  constructor(post) {
    this.#post = post
  }

  #far(id) {
    return {
      deliver: (data) => this.#post({ id, data }),
      close: () => this.#ends.delete(id) && this.#post({ id, close: true }),
    }
  }

  /** Sends a port of ours away. @returns the id under which the other side adopts it */
  attach(port) {
    const id = Bridge.#nextId++
    this.#ends.set(id, port.out)
    port.relayTo(this.#far(id))
    return id
  }

  /** A port that came from the other side. */
  adopt(id) {
    const port = new MessagePortMain()
    port.out = this.#far(id)
    this.#ends.set(id, port)
    return port
  }

  incoming({ id, data, close }) {
    const end = this.#ends.get(id)
    if (!end) return
    if (!close) return end.deliver(data)
    this.#ends.delete(id)
    end.close()
  }

  /** The other side is gone. */
  end() {
    for (const [id, end] of [...this.#ends]) {
      this.#ends.delete(id)
      end.close()
    }
  }
}
