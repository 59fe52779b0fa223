/** What a program imports: `import { unikernel, http, assets, arg } from 'xen-ts'`. The tool itself is bin.ts. */
export * from '@xen-ts/runtime'
