import { resolve } from 'node:path'
import { replaceFile } from '../build/build.ts'
import { checkProgram } from './check.ts'
import { htmlReport } from './html.ts'
import { textReport } from './text.ts'

/** `xen-ts check`: what a program is made of, without booting it. Nothing is written but the page, if it is asked for. */
export async function checkCommand(
  app: string,
  options: { target?: string; native?: string; html?: string; json?: boolean },
): Promise<void> {
  const report = await checkProgram(app, options.target, options.native)
  if (options.html !== undefined) replaceFile(resolve(options.html), htmlReport(report), options.html, '--html')
  process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : textReport(report))
}
