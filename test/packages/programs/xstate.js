// machines and actors, delays, guards
import { assign, createActor, createMachine, fromPromise, setup, waitFor } from 'xstate'

export default async say => {
  const light = createMachine({
    id: 'light',
    initial: 'green',
    context: { turns: 0 },
    states: {
      green: { on: { NEXT: { target: 'yellow', actions: assign({ turns: ({ context }) => context.turns + 1 }) } } },
      yellow: { after: { 10: 'red' } },
      red: { on: { NEXT: [{ guard: ({ context }) => context.turns > 1, target: 'off' }, 'green'] } },
      off: { type: 'final' },
    },
  })
  const actor = createActor(light).start()
  actor.send({ type: 'NEXT' })
  await waitFor(actor, state => state.matches('red'))
  actor.send({ type: 'NEXT' })
  say([actor.getSnapshot().value, actor.getSnapshot().context])
  const loads = setup({ actors: { load: fromPromise(async ({ input }) => input * 2) } }).createMachine({
    initial: 'busy',
    states: {
      busy: { invoke: { src: 'load', input: 21, onDone: { target: 'done', actions: assign(({ event }) => ({ got: event.output })) } } },
      done: { type: 'final' },
    },
  })
  const other = createActor(loads).start()
  say((await waitFor(other, state => state.status === 'done')).context)
}
