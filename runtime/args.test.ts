import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { ArgReader, arg, helpText } from './args.ts'
import { distance, nearest } from './nearest.ts'
import { splitWords } from './words.ts'

const table = {
  greeting: arg.string({ default: 'Hello', doc: 'what the front page says' }),
  port: arg.number({ default: 80, min: 1, max: 65535, integer: true, doc: 'TCP port' }),
  verbose: arg.boolean({ default: false, doc: 'says more' }),
  mode: arg.choice(['fast', 'safe'], { default: 'safe', doc: 'how' }),
  dns: arg.list({ doc: 'name servers' }),
  maxSize: arg.number({ doc: 'bytes of an upload' }),
}
const defaults = { greeting: 'Hello', port: 80, verbose: false, mode: 'safe', dns: [], maxSize: undefined }

function read(line: string, more: Record<string, any> = {}) {
  const reader = new ArgReader({ ...table, ...more })
  reader.commandLine(line)
  return reader.values()
}

/** The full default command line of a qube (facts: kernelopts_common), and the kernel's own words. */
const qubes =
  'root=/dev/mapper/dmroot ro nomodeset console=hvc0 rd_NO_PLYMOUTH rd.plymouth.enable=0 plymouth.enable=0 xen_scrub_pages=0 xen_privcmd.unrestricted swiotlb=2048 clocksource=tsc apparmor=1 security=apparmor quiet rw selftest=oom boottime'

test('good command lines', t => {
  const good: [string, object][] = [
    ['', {}],
    ['   ', {}],
    [qubes, {}],
    ['--greeting=Hi', { greeting: 'Hi' }],
    ['greeting=Hi', { greeting: 'Hi' }],
    ['--greeting=', { greeting: '' }],
    ['--greeting=a=b', { greeting: 'a=b' }],
    ['--greeting="Good day"', { greeting: 'Good day' }],
    ['"--greeting=Good day"', { greeting: 'Good day' }],
    ['greeting=\'a "b"\'', { greeting: 'a "b"' }],
    ['greeting="a \\"b\\" \\\\ \\n"', { greeting: 'a "b" \\ \\n' }],
    ['--port=8080', { port: 8080 }],
    ['port=0x50', { port: 80 }],
    ['--port=1e3', { port: 1000 }],
    ['--verbose', { verbose: true }],
    ['verbose', { verbose: true }],
    ['--verbose=no', { verbose: false }],
    ['verbose=1', { verbose: true }],
    ['--mode=fast', { mode: 'fast' }],
    ['--dns=10.0.0.1,10.0.0.2', { dns: ['10.0.0.1', '10.0.0.2'] }],
    ['--dns=a --dns=b', { dns: ['a', 'b'] }],
    ['dns=', { dns: [] }],
    ['--max-size=-1.5', { maxSize: -1.5 }],
    ['--maxSize=5', { maxSize: 5 }],
    [`${qubes} --port=81\tgreeting=Hi`, { port: 81, greeting: 'Hi' }],
  ]
  for (const [line, expected] of good) t.deepEqual(read(line), { ...defaults, ...expected }, line)
})

test('bad command lines, each with what, where and what to do', t => {
  const bad: [string, RegExp][] = [
    ['--greting=Hi', /unknown argument --greting=Hi; did you mean --greeting\?/],
    ['--maxsize=1', /did you mean --max-size\?/],
    ['--zzz', /unknown argument --zzz\n--help lists/],
    ['nonsense', /unknown argument nonsense/],
    ['--root=x', /unknown argument --root=x/],
    ['-p=1', /unknown argument -p=1/],
    ['--', /unknown argument --/],
    ['=x', /unknown argument =x/],
    ['toString=1', /unknown argument toString/],
    ['--port', /--port has no value; write --port=NUMBER/],
    ['--port=', /'' is not a number/],
    ['--port=80x', /'80x' is not a number/],
    ['--port=Infinity', /is not a number/],
    ['--port=0', /'0' is less than 1/],
    ['--port=65536', /is more than 65535/],
    ['--port=80.5', /is not a whole number/],
    ['--verbose=maybe', /'maybe' is neither yes nor no/],
    ['--mode=fats', /'fats' is not one of fast, safe; did you mean fast\?/],
    ['--mode=constructor', /is not one of fast, safe$/m],
    ['--port=1 --port=2', /--port is given twice; keep one/],
    ['--greeting="x', /the quote at character 12 is never closed: "x; add a " or take it away/],
  ]
  for (const [line, expected] of bad) t.throws(() => read(line), { name: 'UsageError', message: expected }, line)
  t.throws(() => read('--port=x --mode=y --z'), { message: /port[^]*mode[^]*--z[^]*--help/ })
})

test('a required argument must come from somewhere', t => {
  const more = { key: arg.string({ required: true, doc: 'the secret' }) }
  t.throws(() => read('', more), { message: /--key is missing: the secret; add --key=TEXT/ })
  t.is(read('key=x', more).key, 'x')
  const reader = new ArgReader(more)
  reader.commandLine('')
  t.deepEqual(reader.settings(new Map([['key', 'y']])), [])
  t.is(reader.values().key, 'y')
  t.throws(() => arg.string({ required: true, default: 'x', doc: 'both' }), { message: /cannot be given together/ })
  t.throws(() => arg.string({} as any), { message: /doc is missing/ })
})

test('the command line wins over settings; a bad setting is an error that says where it comes from', t => {
  const reader = new ArgReader(table)
  reader.commandLine('--port=81')
  t.deepEqual(
    reader.settings(
      new Map([
        ['port', '82'],
        ['greeting', 'Hi'],
        ['portt', '1'],
      ]),
    ),
    ['unknown argument portt; did you mean --port?'],
  )
  t.is(reader.values().port, 81)
  t.is(reader.values().greeting, 'Hi')
  reader.settings(new Map([['mode', 'x']]))
  t.throws(() => reader.values(), { message: /--mode: 'x' is not one of fast, safe \(from the settings\)/ })
})

test('a program may declare a name that Linux has', t => {
  t.is(read('quiet=5', { quiet: arg.number({ doc: 'n' }) }).quiet, 5)
  t.throws(() => new ArgReader({ 'a-b': arg.string({ doc: 'x' }) }), { message: /argument name 'a-b'/ })
})

test('--help shows every argument with shape, text and default', t => {
  t.is(
    helpText('www', {
      www: { ...table, key: arg.string({ required: true, doc: 'the secret' }) },
      empty: {},
      always: { help: arg.boolean({ default: false, doc: 'prints this' }) },
    }),
    `www: arguments, on the kernel command line

www:
  --greeting=TEXT     what the front page says (default: Hello)
  --port=NUMBER       TCP port (default: 80)
  --verbose[=yes|no]  says more (default: false)
  --mode=fast|safe    how (default: safe)
  --dns=TEXT,...      name servers
  --max-size=NUMBER   bytes of an upload
  --key=TEXT          the secret (required)

always:
  --help[=yes|no]  prints this (default: false)
`,
  )
})

test('any words survive quoting', t => {
  const quote = (word: string) => `"${word.replace(/["\\]/g, '\\$&')}"`
  fc.assert(
    fc.property(fc.array(fc.string()), words => {
      t.deepEqual(splitWords(words.map(quote).join(' ')), words)
    }),
    runs(),
  )
})

test('nearest finds the usual slips and nothing far-fetched', t => {
  const names = ['greeting', 'port', 'verbose', 'max-size', 'ip']
  const table: [string, string | undefined][] = [
    ['greting', 'greeting'],
    ['greetnig', 'greeting'],
    ['prot', 'port'],
    ['PORT', 'port'],
    ['verbos', 'verbose'],
    ['maxsize', 'max-size'],
    ['xyz', undefined],
    ['', undefined],
    ['i', 'ip'],
    ['no', undefined],
  ]
  for (const [word, expected] of table) t.is(nearest(word, names), expected, word)
})

test('the distance counts wrong, missing, extra and swapped letters', t => {
  const table: [string, string, number][] = [
    ['', '', 0],
    ['a', '', 1],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['abc', 'axc', 1],
    ['abc', 'abxc', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ]
  for (const [a, b, expected] of table) t.is(distance(a, b), expected, `${a} ${b}`)
  fc.assert(
    fc.property(fc.string({ maxLength: 6 }), fc.string({ maxLength: 6 }), (a, b) => distance(a, b) === distance(b, a)),
    runs(),
  )
})

test('an argument may have other names, which mean the same and are not listed', t => {
  const more = { address: arg.string({ default: '', doc: 'where', also: ['ip'] }) }
  for (const line of ['ip=10.0.0.1', '--ip=10.0.0.1', 'address=10.0.0.1'])
    t.is((read(line, more) as Record<string, any>).address, '10.0.0.1', line)
  t.throws(() => read('ip=a address=b', more), { message: /^--address is given twice; keep one\n/ })
  t.false(helpText('app', { app: more }).includes('ip'))
})

test('defaults count less than the command line and the settings, and not beside what is given in their place', t => {
  const table = {
    greeting: arg.string({ default: 'Hello', doc: '' }),
    dhcp: arg.boolean({ default: false, doc: '', instead: ['ipv4', 'dns'] }),
    ipv4: arg.string({ default: '', doc: '', also: ['ip'] }),
    dns: arg.list({ doc: '' }),
  }
  const values = (line: string, settings: Record<string, string>, ...lists: string[][]) => {
    const reader = new ArgReader(table)
    reader.commandLine(line)
    for (const list of lists) reader.defaults(list)
    t.deepEqual(reader.settings(new Map(Object.entries(settings))), [])
    return reader.values()
  }
  const none = { greeting: 'Hello', dhcp: false, ipv4: '', dns: [] }
  const fixed = ['--ipv4=10.0.0.2/24', '--dns=10.0.0.1', '--dns=10.0.0.2', '--greeting=Good day']
  const all = { greeting: 'Good day', dhcp: false, ipv4: '10.0.0.2/24', dns: ['10.0.0.1', '10.0.0.2'] }
  for (const [line, settings, lists, expected] of [
    ['', {}, [], {}],
    ['', {}, [fixed], all],
    ['greeting=Hi', {}, [fixed], { ...all, greeting: 'Hi' }],
    ['', { greeting: 'Moin' }, [fixed], { ...all, greeting: 'Moin' }],
    ['greeting=Hi', { greeting: 'Moin' }, [fixed], { ...all, greeting: 'Hi' }],
    ['ip=10.0.0.9/24', {}, [fixed], { ...all, ipv4: '10.0.0.9/24' }],
    ['dns=10.0.0.9', {}, [fixed], { ...all, dns: ['10.0.0.9'] }],
    ['ipv4=', {}, [fixed], { ...all, ipv4: '' }],
    ['dhcp', {}, [fixed], { ...none, greeting: 'Good day', dhcp: true }],
    ['dhcp=no', {}, [fixed], all],
    ['ipv4=10.0.0.9/24', {}, [['--dhcp']], { ipv4: '10.0.0.9/24' }],
    ['', {}, [['--dhcp'], fixed], { dhcp: true, greeting: 'Good day' }],
    ['', {}, [['--ipv4=10.0.0.9/24'], ['--dhcp']], { ipv4: '10.0.0.9/24' }],
    // What one list says of both is for whoever reads the values to refuse.
    ['', {}, [['--dhcp', '--ipv4=10.0.0.9/24']], { dhcp: true, ipv4: '10.0.0.9/24' }],
  ] as const)
    t.deepEqual(values(line, settings, ...lists.map(list => [...list])), { ...none, ...expected }, JSON.stringify([line, settings, lists]))
  t.throws(() => values('', {}, ['--greting=Hi']), { message: /^unknown argument --greting=Hi; did you mean --greeting\?\n/ })
  t.throws(() => values('', {}, ['--dhcp=perhaps']), { message: /^--dhcp: 'perhaps' is neither yes nor no \(from the image\)\n/ })
})
