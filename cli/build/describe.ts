/** `xen-ts describe`: the device graph as text, JSON, Graphviz's language, or a picture. */
import type { Examined } from '@xen-ts/runtime/examine'
import { CliError } from '../errors.ts'
import { examined } from './examine.ts'
import { targetOf } from './prepare.ts'
import { findProject } from './project.ts'
import type { FoundTarget } from './targets.ts'

export interface DescribeOptions {
  readonly target?: string
  readonly dot?: boolean
  readonly json?: boolean
  readonly svg?: boolean
}

/** The text for stdout. @throws CliError */
export async function describeProgram(app: string, options: DescribeOptions): Promise<string> {
  const chosen = (['dot', 'json', 'svg'] as const).filter(form => options[form])
  if (chosen.length > 1) throw new CliError('there is one form at a time', chosen.map(form => `--${form}`).join(' '), 'give one of them')
  const project = findProject(app)
  const { target } = await targetOf(project, options.target, 'xen')
  const found = await examined(project, target, { assets: true })
  const [form] = chosen
  if (form === 'json') return `${JSON.stringify(asJson(found, target), undefined, 2)}\n`
  if (form === 'dot') return dot(found, target)
  if (form === 'svg') return svg(dot(found, target))
  return asText(found, target)
}

function asText(found: Examined & { globals: readonly string[] }, target: FoundTarget): string {
  const [title, ...rest] = found.text.split('\n')
  const { adds = [] } = target.target
  const part = (name: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : [name, ...lines.map(line => `  ${line}`)])
  return `${[title, ...part('added by the target', adds), ...part('globals', found.globals), ...rest].join('\n')}\n`
}

function asJson({ name, plan, args, globals }: Examined & { globals: readonly string[] }, target: FoundTarget) {
  const { adds = [], network } = target.target
  const devices = plan.order.map(({ name, by, options, needs }, id) => ({ id, name, by, options, needs }))
  return {
    name,
    target: { name: target.name, becomes: target.becomes, adds, network },
    devices,
    program: plan.devices,
    globals,
    arguments: args,
  }
}

/** Arrows lead from a device to what it needs. */
function dot({ name, plan }: Examined, target: FoundTarget): string {
  const lines = plan.order.map((device, id) => {
    const options = device.options.replace(/^\((.*)\)$/, '$1')
    const label = [device.name, ...(options === '' ? [] : [options])].map(escaped).join('\\n')
    return `  d${id} [label="${label}"${device.by === 'target' ? '' : ', style="rounded,dashed"'}]`
  })
  const edge = (from: string, to: number, need: string): string => {
    const label = need === plan.order[to].name ? '' : ` [label="${escaped(need)}"]`
    return `  ${from} -> d${to}${label}`
  }
  return [
    `digraph "${escaped(name)}" {`,
    '  node [shape=box, style=rounded, fontname="sans-serif"]',
    '  edge [fontname="sans-serif", fontsize=10]',
    `  program [label="${escaped(name)}\\non ${target.name}", shape=ellipse, style=solid]`,
    ...lines,
    ...Object.entries(plan.devices).map(([need, to]) => edge('program', to, need)),
    ...plan.order.flatMap((device, id) => Object.entries(device.needs).map(([need, to]) => edge(`d${id}`, to, need))),
    '}',
    '',
  ].join('\n')
}

const escaped = (text: string): string => text.replace(/[\\"]/g, '\\$&').replaceAll('\n', ' ')

/** Graphviz is 1.2 MB, and few draw: who does installs it. */
async function svg(source: string): Promise<string> {
  let viz: typeof import('@viz-js/viz')
  try {
    viz = await import('@viz-js/viz')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new CliError(
      '--svg needs the package @viz-js/viz, which is not installed',
      '--svg',
      'npm install --save-dev @viz-js/viz, or give --dot to Graphviz',
    )
  }
  return (await viz.instance()).renderString(source, { format: 'svg' })
}
