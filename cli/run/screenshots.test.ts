import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DaemonWindow } from '@xen-ts/rig/dom0'
import test, { type ExecutionContext } from 'ava'
import { CliError } from '../errors.ts'
import { screenshots } from './screenshots.ts'

function folder(t: ExecutionContext): string {
  const root = mkdtempSync(join(tmpdir(), 'xen-ts-pictures-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  return root
}

const window = (id: number, title: string, png: () => string) => ({ id, title, png: () => Buffer.from(png()) }) as unknown as DaemonWindow

test('each window has a file of its own, and the last picture is in it', t => {
  const root = folder(t)
  const notes: string[] = []
  const { painted, end } = screenshots(join(root, 'new/pictures'), text => notes.push(text))
  let picture = 'first'
  const console = window(1, 'a console: ü/..', () => picture)
  const other = window(2, '', () => 'other')
  painted(console)
  painted(other)
  end()
  picture = 'second'
  painted(console)
  end()
  t.deepEqual(readdirSync(join(root, 'new/pictures')), ['1-a-console.png', '2-window.png'])
  t.is(readFileSync(join(root, 'new/pictures/1-a-console.png'), 'utf8'), 'second')
  t.is(notes.length, 2)
})

test('a folder that cannot be made is told before anything starts', t => {
  const root = folder(t)
  writeFileSync(join(root, 'file'), '')
  t.throws(() => screenshots(join(root, 'file/pictures'), () => {}), {
    instanceOf: CliError,
    message: /cannot be made: a part of its path is no folder/,
  })
})
