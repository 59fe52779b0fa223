/** The device kinds of every domain of Xen: domain.ts provides them. */
export const domainKinds = { stack: {}, http: {}, xenstore: {}, vchan: {}, ethernet: {} } as const
