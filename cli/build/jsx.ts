/** JSX means what a library makes of it: this finds the library. What tsconfig.json says, or a comment in the file, comes first. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'

/** Package, and where its runtime for JSX is: `SOURCE/jsx-runtime`. A router has one too; whoever installs another library wants that. */
const libraries = [
  ['react', 'react'],
  ['preact', 'preact'],
  ['hono', 'hono/jsx'],
] as const

/** The import source for a project: of a library that its package.json depends on, else of one that is installed, else react's. */
export function jsxSource(root: string): string {
  const manifest = join(root, 'package.json')
  const { dependencies = {}, devDependencies = {} } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : {}
  const found =
    libraries.find(([name]) => Object.hasOwn(dependencies, name) || Object.hasOwn(devDependencies, name)) ??
    libraries.find(([name]) => isInstalled(name, root))
  return found?.[1] ?? 'react'
}

/** Whether a package is, for the files of a folder. */
export function isInstalled(name: string, folder: string): boolean {
  if (existsSync(join(folder, 'node_modules', name, 'package.json'))) return true
  return dirname(folder) !== folder && isInstalled(name, dirname(folder))
}

/** What to say when the runtime of a library was not found. */
export function missingJsx(path: string): { text: string; hint: string } | undefined {
  if (!/\/jsx-(dev-)?runtime$/.test(path)) return undefined
  return {
    text: 'JSX needs a library such as Preact, React or Hono, and none is installed',
    hint: 'npm install preact (or react, or hono); another one is named in tsconfig.json: "jsx": "react-jsx", "jsxImportSource": "NAME"',
  }
}

/** A file that names its own function for JSX, `@jsx h`, means the classic way: esbuild has to be told. */
export function ownFactories(): Plugin {
  return {
    name: 'own-factories',
    setup(build) {
      build.onLoad({ filter: /\.[jt]sx$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8')
        if (!/@jsx\s+\S/.test(source) || source.includes('@jsxRuntime')) return undefined
        return { contents: `${source}\n/** @jsxRuntime classic */`, loader: path.endsWith('.tsx') ? 'tsx' : 'jsx' }
      })
    },
  }
}
