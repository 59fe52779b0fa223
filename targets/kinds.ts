/** The device kinds of every domain of Xen: domain.ts provides them. */
export const domainKinds = { stack: {}, http: {}, xenstore: {}, vchan: {}, ethernet: {} } as const

/** What a program of such a domain finds on globalThis when it uses it: the modules with `connect` export these. */
export const domainGlobals = ['EventSource', 'WebSocket', 'fetch'] as const
