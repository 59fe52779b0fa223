/** Builds and runs a program, and does so again whenever its sources change: until it is told to stop. */

import type { Project } from '../build/project.ts'
import { CliError, describeError } from '../errors.ts'
import type { Builder, Life, Runner } from './builder.ts'
import type { Front } from './front.ts'
import { isManifest, Sources } from './sources.ts'
import { Watcher } from './watch.ts'

export interface DevelopOptions {
  /** Reads what the project is, now. @throws CliError */
  find(): Project
  builder(project: Project, sources: Sources): Builder | Promise<Builder>
  readonly runner: Runner
  readonly front: Front
  /** What the tool has to say. */
  onNote(text: string): void
  /** A line of the program's. */
  onLine(line: string): void
  readonly signal: AbortSignal
}

/** @throws what `find` throws at the beginning */
export async function develop({ find, builder: makeBuilder, runner, front, onNote, onLine, signal }: DevelopOptions): Promise<void> {
  const sources = new Sources()
  let project = find()
  let builder: Builder | undefined
  let life: Life | undefined
  /** Text of the last build's. */
  let error: string | undefined
  let begun = Date.now()
  let wake = Promise.withResolvers<void>()
  let manifests = false
  const watcher = new Watcher(paths => {
    const concerned = [...paths].filter(path => sources.concerns(path, project, error !== undefined))
    if (concerned.length === 0) return
    manifests ||= concerned.some(path => isManifest(path, project.root))
    begun = Date.now()
    wake.resolve()
  })
  signal.addEventListener('abort', () => {
    wake.resolve()
    // What is on its way is not waited for.
    if (life === undefined) void runner.dispose()
  })

  const start = async (file: string): Promise<void> => {
    const since = begun
    const before = life
    life = undefined
    front.lead('soon')
    await before?.stop()
    front.cut()
    if (signal.aborted) return
    let listening = false
    const started = await runner.start(file, {
      onLine,
      onListening(port) {
        if (listening || life !== started) return
        listening = true
        front.lead({ port })
        if (before !== undefined) onNote(`restarted in ${Date.now() - since} ms`)
        front.reload()
      },
      onSilence(port) {
        if (!listening && life === started) front.lead({ port })
      },
    })
    life = started
    // Whatever listens there is not always a server that says so.
    front.lead(started.reach, `${project.name} has no network`)
    void started.ended.then(how => {
      if (life !== started || signal.aborted) return
      life = undefined
      front.lead(undefined, `${project.name}: ${how}`)
      onNote(`${project.name}: ${how}; waiting for a change`)
    })
  }

  try {
    while (!signal.aborted) {
      wake = Promise.withResolvers()
      const since = Date.now()
      try {
        if (manifests || builder === undefined) {
          manifests = false
          await builder?.dispose()
          builder = undefined
          project = find()
          builder = await makeBuilder(project, sources)
        }
        const { file, changed, warnings } = await builder.build()
        if (changed) for (const warning of warnings) onNote(`warning: ${warning}`)
        if (error !== undefined && !changed && life !== undefined) onNote('the program is as it was before the error')
        error = undefined
        if (changed || life === undefined) await start(file)
      } catch (caught) {
        if (signal.aborted) break
        if (!(caught instanceof CliError)) throw caught
        const text = describeError(caught)
        if (life === undefined) front.lead(undefined, text)
        // An editor saves in many ways, and each is a change.
        if (text !== error) onNote(life === undefined ? text : `${text}\nthe program that runs is the last one that could be built`)
        error = text
        await sources.look(project)
      }
      watcher.set(sources.folders(project), since)
      await wake.promise
    }
  } finally {
    watcher.close()
    const last = life
    life = undefined
    await last?.stop()
    await builder?.dispose()
    await runner.dispose()
  }
}
