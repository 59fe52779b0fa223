/** What a program says, as text: the same under Node and in the guest. */
export const show = value => (typeof value === 'string' ? value : JSON.stringify(value))
