// events
import mitt from 'mitt'

export default async say => {
  const bus = mitt()
  const seen = []
  bus.on('*', (type, value) => seen.push([type, value]))
  bus.on('a', value => seen.push(value))
  bus.emit('a', 1)
  bus.off('a')
  bus.emit('a', 2)
  say(seen)
}
