/** Calls of assets: how they may be written, what is taken of a folder, and how its bytes reach the image. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { CliError } from '../errors.ts'
import { bundleFolder, folderOf, runFolder } from './testing.ts'

const site = { 'site/index.html': '<!DOCTYPE html>' }

/** A program that says which files it has. */
const withSite = (call: string, head = "import { assets, unikernel } from 'xen-ts'") =>
  `${head}\nexport default unikernel({ name: 'app', devices: { site: ${call} }, async start({ log, site }) { log.info('has ' + site.paths) } })\n`

async function refused(t: ExecutionContext, source: string, more: Record<string, string> = site): Promise<CliError> {
  return (await t.throwsAsync(bundleFolder(folderOf(t, { 'app.ts': source, ...more })), { instanceOf: CliError }))!
}

test('every way to write the call with a literal path', async t => {
  for (const source of [
    withSite(`assets('./site')`),
    withSite('assets("./site",)'),
    withSite('assets(`./site`)'),
    withSite(`assets(/* the pages */ './site' // of our site\n)`),
    withSite(`assets('./si' + 'te')`),
    withSite(`files('./site')`, `import { assets as files, unikernel } from 'xen-ts'`),
    withSite(`x.assets('./site')`, `import * as x from 'xen-ts'\nconst { unikernel } = x`),
    withSite(`pages('./site')`, `import { unikernel } from 'xen-ts'\nimport { pages } from './own.ts'`),
    withSite(`folder`, `import { assets, unikernel } from 'xen-ts'\nconst folder = assets('./site')`),
  ]) {
    const root = folderOf(t, { 'app.ts': source, 'own.ts': `export { assets as pages } from 'xen-ts'`, ...site })
    t.regex(await runFolder(root), /has index\.html\n/, source)
  }
})

test('paths are relative to the file that calls; packages may have files of their own', async t => {
  const root = folderOf(t, {
    'app.ts': `import { unikernel } from 'xen-ts'
import { a } from './deep/a.ts'
import { b } from 'pages'
export default unikernel({ name: 'app', devices: { a, b }, async start({ log, a, b }) { log.info(a.paths + ' and ' + b.paths) } })`,
    'deep/a.ts': `import { assets } from 'xen-ts'\nexport const a = assets('./here')`,
    'deep/here/one.txt': '1',
    'node_modules/pages/index.js': `import { assets } from 'xen-ts'\nexport const b = assets('./there')`,
    'node_modules/pages/there/two.txt': '2',
  })
  t.regex(await runFolder(root), /one\.txt and two\.txt\n/)
})

test('what only looks like a call is none', async t => {
  const root = folderOf(t, {
    'app.ts': withSite(
      `assets('./site') }, args: { }, hint: { text: "assets('./nowhere')", own: own('x') `,
      `import { assets, unikernel } from 'xen-ts'
// assets('./neither')
function own(assets: string) { return \`assets('./\${assets}')\` }`,
    ),
    ...site,
  })
  t.regex(await runFolder(root), /has index\.html\n/)
})

test('a folder whose name is misspelt', async t => {
  const error = await refused(t, withSite("assets('./stie')"))
  t.is(error.todo, 'did you mean ./site? The path is relative to the file that calls assets')
})

test('a path that the build cannot know, or that is no folder: file, line and what to do', async t => {
  for (const [call, what, where] of [
    ["assets('./' + process.argv)", /^assets: the path must be a literal string$/, /app\.ts:2:[^]*\n2 \| .*\n +\| +\^/],
    ['assets(path)', /^assets: the path must be a literal string$/, /app\.ts:2:/],
    ['assets(`./${path}`)', /^assets: the path must be a literal string$/, /app\.ts:2:/],
    ['assets()', /^assets: the path must be a literal string$/, /app\.ts:2:/],
    ['((make) => make("./site"))(assets)', /^assets must be called directly$/, /app\.ts:2:/],
    ["assets('./nowhere')", /^assets: there is no folder \.\/nowhere$/, /app\.ts:2:/],
    ["assets('./app.ts')", /^assets: there is no folder \.\/app\.ts$/, /app\.ts:2:/],
  ] as const) {
    const error = await refused(t, withSite(call, "import { assets, unikernel } from 'xen-ts'; declare const path: string"))
    t.regex(error.message, what, call)
    t.regex(error.where!, where, call)
    t.regex(error.todo!, call.includes('nowhere') ? /^the path is relative to the file that calls assets$/ : /./, call)
  }
})

test('hidden names are left out, but for .well-known, and counted', async t => {
  const root = folderOf(t, {
    'app.ts': withSite("assets('./site')"),
    'site/.well-known/security.txt': 'Contact: a',
    'site/.well-known/.DS_Store': '',
    'site/.git/config': '',
    'site/.env': '',
    ...site,
  })
  t.regex(await runFolder(root), /has \.well-known\/security\.txt,index\.html\n/)
  const { assets } = await bundleFolder(root)
  t.deepEqual(assets, [
    { folder: join(root, 'site'), files: 2, bytes: 25, compressedBytes: 0, leftOut: ['.env', '.git/', '.well-known/.DS_Store'] },
  ])
})

test('links are followed within the folder, and refused where they leave it, lead nowhere or round', async t => {
  const make = (links: Record<string, string>) => {
    const root = folderOf(t, { 'app.ts': withSite("assets('./site')"), 'secret.txt': 's', 'site/real/a.txt': 'a', ...site })
    mkdirSync(join(root, 'out'))
    for (const [link, to] of Object.entries(links)) symlinkSync(to, join(root, link))
    return root
  }
  const whole = make({ 'site/file.html': 'index.html', 'site/folder': 'real', 'site/real/again.txt': '../real/a.txt' })
  t.regex(await runFolder(whole), /has file\.html,folder\/a\.txt,folder\/again\.txt,index\.html,real\/a\.txt,real\/again\.txt\n/)
  for (const [to, expected] of [
    ['../secret.txt', /^assets: the link \.\/site\/link leads out of its folder$/],
    ['../out', /^assets: the link \.\/site\/link leads out of its folder$/],
    ['missing', /^assets: the link \.\/site\/link leads nowhere: it does not exist$/],
    ['link', /^assets: the link \.\/site\/link leads nowhere/],
    ['.', /^assets: the link \.\/site\/link leads to a folder that it lies in$/],
  ] as const) {
    const error = await t.throwsAsync(bundleFolder(make({ 'site/link': to })), { instanceOf: CliError }, to)
    t.regex(error!.message, expected)
    t.regex(error!.where!, /app\.ts:2:/)
  }
})

test('a folder that is a link is itself where it leads', async t => {
  const root = folderOf(t, { 'app.ts': withSite("assets('./linked')"), ...site })
  symlinkSync('site', join(root, 'linked'))
  t.regex(await runFolder(root), /has index\.html\n/)
})

test('a file may be called __proto__, or as what objects have', async t => {
  const root = folderOf(t, {
    'app.ts': withSite("assets('./site') }, args: {}, more: { ").replace(
      'site.paths',
      "site.paths + ' ' + new TextDecoder().decode(site.file('__proto__').bytes)",
    ),
    'site/__proto__': 'own',
    'site/constructor': '',
  })
  t.regex(await runFolder(root), /has __proto__,constructor own\n/)
})

test('bytes arrive as they are, in one bundle as in the next', async t => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff)
  const root = folderOf(t, {
    'app.ts': withSite("assets('./site')").replace(
      "'has ' + site.paths",
      '`${site.file("a.bin").bytes.length} ${site.file("a.bin").bytes.reduce((sum, byte, i) => (sum + byte * (i + 1)) % 1000003, 0)} ${site.file("empty").bytes.length}`',
    ),
    'site/a.bin': bytes as never,
    'site/empty': '',
  })
  const sum = bytes.reduce((sum, byte, i) => (sum + byte * (i + 1)) % 1000003, 0)
  t.regex(await runFolder(root), new RegExp(`300000 ${sum} 0\n`))
  const [first, second] = [await bundleFolder(root), await bundleFolder(root)]
  t.is(first.code, second.code)
  t.true(first.code.length < 1_000_000)
})

const page = '<!DOCTYPE html>' + Array.from({ length: 200 }, (_, i) => `<p>paragraph ${i} of many</p>`).join('\n')
const variantsOf = (call: string) =>
  withSite(call).replace('site.paths', 'site.paths.map(path => `${path}:${Object.keys(site.file(path).variants ?? {})}`)')

test('text is compressed when the image is built, where that pays; the report says how much', async t => {
  const noise = Uint8Array.from({ length: 5000 }, (_, i) => (Math.imul(i * i + 7, 2654435761) >>> 13) & 0xff)
  const files = { 'site/index.html': page, 'site/small.css': 'a{}', 'site/p.png': page, 'site/noise.txt': noise as never }
  const bundle = await bundleFolder(folderOf(t, { 'app.ts': variantsOf("assets('./site')"), ...files }))
  const [{ bytes, compressedBytes }] = bundle.assets
  t.is(bytes, 2 * page.length + 3 + 5000)
  t.true(compressedBytes > 100 && compressedBytes < page.length / 2, `${compressedBytes}`)
  const run = async (call: string) => runFolder(folderOf(t, { 'app.ts': variantsOf(call), ...files }))
  t.regex(await run("assets('./site')"), /has index\.html:br,gzip,noise\.txt:,p\.png:,small\.css:\n/)
  t.regex(await run("assets('./site', {})"), /has index\.html:br,gzip,/)
  t.regex(await run("assets('./site', { compress: ['gzip'] })"), /has index\.html:gzip,/)
  t.regex(await run("assets('./site', { compress: false })"), /has index\.html:,/)
  t.regex(await run("assets('./site', { compress: [] })"), /has index\.html:,/)
})

test('what is compressed is what it was', async t => {
  const source = withSite("assets('./site')").replace(
    "'has ' + site.paths",
    "'as text ' + Array.from(site.file('index.html').variants.gzip.bytes, byte => byte.toString(16).padStart(2, '0')).join('')",
  )
  const output = await runFolder(folderOf(t, { 'app.ts': source, 'site/index.html': page }))
  const hex = /as text ([0-9a-f]+)/.exec(output)![1]
  t.is(gunzipSync(Buffer.from(hex, 'hex')).toString(), page)
})

test('options that the build cannot read are refused with what to write', async t => {
  for (const options of ['options', '{ compress: true }', "{ compress: ['deflate'] }", '{ compress: x }', '{ ...x }', '{ other: 1 }']) {
    const head = "import { assets, unikernel } from 'xen-ts'; declare const x: any, options: any"
    const error = await refused(t, withSite(`assets('./site', ${options})`, head))
    t.is(error.message, 'assets: the options must be a literal { compress: ... }', options)
    t.regex(error.where!, /app\.ts:2:/)
    t.regex(error.todo!, /compress: false/)
  }
})
