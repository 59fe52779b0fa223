import { relative } from 'node:path'
import { CliError } from '../errors.ts'
import { imageInfo } from '../image.ts'
import { lineSplitter } from './lines.ts'
import { positionRewriter } from './positions.ts'
import { printer } from './printer.ts'
import { parseCall, parseKey, readPolicy } from './qubes-options.ts'
import { inThreeParts } from './rig-errors.ts'
import { screenshots } from './screenshots.ts'
import { session } from './session.ts'

export interface RunOptions {
  memory?: number
  maxmem?: number
  timeout?: number
  port?: number
  xen?: string
  json?: boolean
  qubes?: boolean
  qdb?: string[]
  call?: string[]
  dom0?: string
  exit?: boolean
  policy?: string
  screenshots?: string
  pcap?: string
  stats?: boolean
}

/** As what the script in dom0 appears in what is printed. */
const dom0 = { text: 'dom0' }

const exitCodes: Record<string, number> = { poweroff: 0, reboot: 0, crash: 1, timeout: 124, interrupted: 130 }

/**
 * `xen-ts run`: boots the image, shows its console, returns the exit code: that of a call that failed, else 0 after a clean end, 1
 * after a crash.
 */
export async function runCommand(imagePath: string, args: readonly string[], options: RunOptions): Promise<number> {
  const calls = (options.call ?? []).map(parseCall)
  const keys = new Map((options.qdb ?? []).map(parseKey))
  if (options.exit && calls.length === 0 && options.dom0 === undefined) {
    throw new CliError(
      '--exit ends the program after the last call, and there is none',
      '--exit',
      'give a --call or --dom0 as well, or a --timeout',
    )
  }
  const policy = options.policy === undefined ? undefined : { text: readPolicy(options.policy), file: options.policy }
  const info = imageInfo(imagePath, 'run')
  const { name, target, buildId, memoryMiB } = info.metadata
  const memory = options.memory ?? Math.max(32, memoryMiB ?? 0)
  if (options.maxmem !== undefined && options.maxmem < memory) {
    throw new CliError(
      `the maximum of ${options.maxmem} MiB is below the memory, ${memory} MiB`,
      `--maxmem ${options.maxmem}`,
      'give a --memory that is smaller, or a larger --maxmem',
    )
  }
  const isQube = options.qubes === true || target === 'qubes'
  if (!isQube) refuseQubesOptions(imagePath, target, options)

  const { rewrite, note } = positionRewriter(imagePath, buildId)
  const print = printer(options.json === true)
  if (note) print.note(note)
  if (options.stats && info.metadata.network === false) print.note(`${name} has no network: --stats has nothing to show`)
  if (memory < (memoryMiB ?? 0)) print.note(`${name} needs ${memoryMiB} MiB by estimate, and gets ${memory}`)
  const pictures = options.screenshots === undefined ? undefined : screenshots(options.screenshots, print.note)
  const console = lineSplitter(line => print.console(rewrite(line)))
  const result = await inThreeParts(() =>
    session({
      image: imagePath,
      name,
      args,
      xen: options.xen,
      memory,
      maxmem: options.maxmem,
      timeout: options.timeout,
      port: options.port,
      serves: options.port !== undefined || info.metadata.network !== false,
      qube: isQube ? { keys, policy, onPaint: pictures?.painted } : undefined,
      calls,
      pcap: options.pcap,
      stats: options.stats === true,
      script: options.dom0,
      exit: options.exit === true,
      onConsole: console.push,
      onNote: print.note,
      onCallOutput: print.callOutput,
      onCallEnd: print.callEnd,
      onScriptOutput: (stream, line) => print.callOutput(dom0, stream, line),
      onScriptEnd: code => print.callEnd(dom0, code),
    }),
  )
  console.end()
  pictures?.end()
  const ended = exitCodes[result.reason] ?? 1
  const code = ended === 0 ? exitCode(result.callCode) : ended
  print.end(name, result.reason, code)
  return code
}

/** A process can tell 0 to 255 only. */
function exitCode(code: number): number {
  return code >= 0 && code <= 255 ? code : 1
}

function refuseQubesOptions(image: string, target: string, options: RunOptions): void {
  for (const option of ['qdb', 'call', 'policy', 'screenshots'] as const) {
    if (options[option] === undefined || options[option].length === 0) continue
    throw new CliError(
      `--${option} is for qubes, and ${relative(process.cwd(), image) || image} is for target ${target}`,
      undefined,
      'build it with -t qubes; or give --qubes, which starts the daemons of dom0 for any image',
    )
  }
}
