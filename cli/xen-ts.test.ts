import * as runtime from '@xen-ts/runtime'
import test from 'ava'
import * as xenTs from './xen-ts.ts'

test('programs get all that the runtime has for them, and WebSockets; what is for the tool only is not there', t => {
  const forTheTool = ['elsewhere']
  t.deepEqual(
    Object.keys(xenTs).sort(),
    Object.keys(runtime)
      .filter(name => !forTheTool.includes(name))
      .concat('HandshakeError', 'upgradeWebSocket')
      .sort(),
  )
})
