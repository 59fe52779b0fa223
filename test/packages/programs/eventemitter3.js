// events, once, contexts
import { EventEmitter } from 'eventemitter3'

export default async say => {
  const emitter = new EventEmitter()
  const seen = []
  emitter.on(
    'a',
    function (value) {
      seen.push([this.name, value])
    },
    { name: 'ctx' },
  )
  emitter.once('a', value => seen.push(value))
  say([emitter.emit('a', 1), emitter.emit('a', 2), emitter.emit('b'), seen, emitter.listenerCount('a'), emitter.eventNames()])
}
