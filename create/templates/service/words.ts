/** Words are what white space stands between. */
export const countWords = (text: string): number => text.split(/\s+/).filter(word => word !== '').length
