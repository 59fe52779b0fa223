export const framesFor = async (_seconds: number, _seed: number | undefined): Promise<void> => {
  throw new Error('not yet')
}
