/**
 * qrexec policy in the syntax of R4.1 and later (qrexec/policy/parser.py of qubes-core-qrexec): one rule a line, the first that matches
 * decides, none is a denial.
 *
 *     service  argument|*  source  target  allow|deny|ask  [target=… user=… notify=… autostart=…]
 */

/** A policy file that qrexec would not take: with it, the real dom0 denies everything. */
export class PolicySyntaxError extends Error {
  override name = 'PolicySyntaxError'
}

/** The qube that calls, as far as rules can ask. */
export interface Source {
  readonly name: string
  /** Its class, for `@type:`. */
  readonly type?: string
  /** For `@tag:`. */
  readonly tags?: readonly string[]
}

export interface Rule {
  /** Undefined: any. */
  readonly service: string | undefined
  /** With its `+`; undefined: any. */
  readonly argument: string | undefined
  readonly source: string
  readonly target: string
  readonly action: 'allow' | 'deny' | 'ask'
  readonly params: ReadonlyMap<string, string>
  /** `FILE:LINE`. */
  readonly place: string
}

/** An allowed call goes to `target`; a denied one says which rule did it. */
export type Decision =
  | { readonly allow: true; readonly target: string; readonly place: string }
  | { readonly allow: false; readonly why: string }

const PARAMS: Record<Rule['action'], readonly string[]> = {
  allow: ['target', 'user', 'notify', 'autostart'],
  deny: ['notify'],
  ask: ['target', 'default_target', 'user', 'notify', 'autostart'],
}
const SERVICE = /^(\*|[a-zA-Z0-9_.-]+)$/
const ARGUMENT = /^(\*|\+[a-zA-Z0-9_.+-]*)$/
/** What stands for several qubes. */
const SOME = '*, @anyvm, @type:…, @tag:… or @dispvm:…'
const NAME = /^[a-zA-Z][a-zA-Z0-9_.-]{0,30}$/
const SOURCES = /^(\*|@anyvm|@(type|tag|dispvm):[^@]+|@dispvm:@tag:[^@]+)$/
const TARGETS = /^(\*|@anyvm|@default|@adminvm|@dispvm|@(type|tag|dispvm):[^@]+|@dispvm:@tag:[^@]+)$/
const REDIRECTS = /^(@adminvm|@dispvm|@dispvm:[^@]+)$/

/** @throws PolicySyntaxError with file and line */
export function parsePolicy(text: string, file: string): Rule[] {
  const rules: Rule[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    rules.push(parseRule(line, `${file}:${index + 1}`))
  }
  return rules
}

function parseRule(line: string, place: string): Rule {
  const refuse = (why: string): PolicySyntaxError => new PolicySyntaxError(`${place}: ${why}\n    ${line}`)
  if (line.startsWith('!')) throw refuse('directives (!include and its like) are not read here: put the rules into this file')
  const [service, argument, source, target, action, ...params] = line.split(/\s+/)
  if (action === undefined) throw refuse('a rule has five fields or more: service argument source target action, and parameters')
  if (!SERVICE.test(service)) throw refuse(`service '${service}': letters, digits and _ . - are allowed, or * for any`)
  if (!ARGUMENT.test(argument)) throw refuse(`argument '${argument}': it begins with + (a bare + is no argument), or is * for any`)
  if (service === '*' && argument !== '*') throw refuse('service * goes with argument * only')
  if (!isToken(source, SOURCES) || alias(source) === '@adminvm') throw refuse(`source '${source}': the name of a qube, ${SOME}`)
  if (!isToken(target, TARGETS)) throw refuse(`target '${target}': the name of a qube, dom0, @default, @dispvm, ${SOME}`)
  if (action !== 'allow' && action !== 'deny' && action !== 'ask') throw refuse(`action '${action}': allow, deny or ask`)
  const known = parseParams(params, action, refuse)
  const redirect = known.get('target')
  if (alias(target) === '@default' && action === 'allow' && redirect === undefined) throw refuse('allow for @default needs target=')
  return {
    service: service === '*' ? undefined : service,
    argument: argument === '*' ? undefined : argument,
    source,
    target: alias(target),
    action,
    params: known,
    place,
  }
}

function parseParams(params: readonly string[], action: Rule['action'], refuse: (why: string) => Error): Map<string, string> {
  const known = new Map<string, string>()
  for (const param of params) {
    const [, key, value] = /^([^=]*)=(.*)$/.exec(param) ?? []
    if (key === undefined) throw refuse(`parameter '${param}' is not of the form name=value`)
    if (!PARAMS[action].includes(key)) throw refuse(`${action} has no parameter '${key}': ${PARAMS[action].join(', ')}`)
    if (known.has(key)) throw refuse(`parameter '${key}' is given twice`)
    if ((key === 'notify' || key === 'autostart') && value !== 'yes' && value !== 'no') throw refuse(`${key}= is yes or no`)
    if (key.endsWith('target') && !isToken(value, REDIRECTS))
      throw refuse(`${key}=${value}: the name of a qube, dom0, @dispvm or @dispvm:…`)
    known.set(key, key.endsWith('target') ? alias(value) : value)
  }
  return known
}

/** dom0's other name is the one that rules compare. */
function alias(token: string): string {
  return token === 'dom0' ? '@adminvm' : token
}

function isToken(token: string, special: RegExp): boolean {
  return NAME.test(token) || special.test(alias(token))
}

/**
 * What the policy says to a call. There is no user to ask here: ask is a denial.
 * @param target as the qube named it; empty means @default
 * @param argument without its `+`
 */
export function decide(rules: readonly Rule[], source: Source, call: { service: string; argument: string; target: string }): Decision {
  const { service, argument, target } = call
  const wanted = alias(target === '' ? '@default' : target)
  const denied = (why: string): Decision => ({ allow: false, why })
  if (wanted !== '@adminvm' && wanted !== '@default' && wanted !== source.name) {
    // Checked before any rule is looked at, as in Qubes. Of disposables there is no template here.
    return denied(`there is no qube '${target}' here`)
  }
  const rule = rules.find(
    rule =>
      (rule.service === undefined || rule.service === service) &&
      (rule.argument === undefined || rule.argument === `+${argument}`) &&
      matches(rule.source, source.name, source) &&
      matches(rule.target, wanted, source),
  )
  if (rule === undefined) return denied('no rule matches')
  if (rule.action === 'deny') return denied(`denied by ${rule.place}`)
  if (rule.action === 'ask') return denied(`${rule.place} asks the user, who is not here: denied`)
  const actual = rule.params.get('target') ?? wanted
  if (actual === '@default') return denied(`${rule.place} allows it, but neither the qube nor the rule names a target`)
  return { allow: true, target: actual === '@adminvm' ? 'dom0' : actual, place: rule.place }
}

/** `@anyvm` is everything but dom0: `@default` too. */
function matches(token: string, name: string, source: Source): boolean {
  if (token === '*') return true
  if (token === '@anyvm') return name !== '@adminvm'
  if (token.startsWith('@type:')) return name === source.name && token.slice(6) === (source.type ?? 'StandaloneVM')
  if (token.startsWith('@tag:')) return name === source.name && (source.tags ?? []).includes(token.slice(5))
  return token === name
}
