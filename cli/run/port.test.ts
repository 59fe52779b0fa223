/** Which port of localhost leads to the program. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { RigError } from '@xen-ts/rig/xen'
import test, { type ExecutionContext } from 'ava'
import { CliError } from '../errors.ts'
import { checkPort, forwardPort } from './port.ts'

async function taken(t: ExecutionContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

test('a port that was asked for and is taken is an error', async t => {
  const port = await taken(t)
  await t.throwsAsync(checkPort(port), { instanceOf: CliError, message: `port ${port} of localhost is in use` })
  await t.notThrowsAsync(checkPort(0))
  const refuse = () => Promise.reject(new RigError('taken'))
  await t.throwsAsync(forwardPort(refuse, port), { instanceOf: RigError })
})

test('where none was asked for it is the next that is free, also when it is lost at the last moment', async t => {
  const port = await taken(t)
  const tried: number[] = []
  const found = await forwardPort(
    async candidate => {
      tried.push(candidate)
      if (tried.length < 3) throw new RigError('another run was faster')
      return candidate
    },
    undefined,
    port,
  )
  t.false(tried.includes(port))
  t.is(tried.length, 3)
  t.is(found, tried[2])
})

test('where nothing near is free it is any', async t => {
  const found = await forwardPort(async candidate => {
    if (candidate !== 0) throw new RigError('taken')
    return 40404
  }, undefined)
  t.is(found, 40404)
})
