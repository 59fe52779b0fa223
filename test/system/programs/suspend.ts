// Counts the beats of a timer, and tells when time has jumped: by both clocks, and how often the timer then came at once.
import { unikernel } from 'xen-ts'

const BEAT = 50
/**
 * Milliseconds that the two clocks part by while the domain is away: a migration on a fast machine took 500, and two looks at them
 * take far less.
 */
const AWAY = 200

export default unikernel({
  name: 'suspend',
  async start({ clock, random, log, signal }) {
    let wall = clock.wall(),
      mono = clock.now(),
      beats = 0,
      jumpedAt = -Infinity,
      burst = 0
    const timer = setInterval(() => {
      const before = { wall, mono }
      wall = clock.wall()
      mono = clock.now()
      beats++
      if (wall - before.wall > mono - before.mono + AWAY) {
        jumpedAt = mono
        burst = 0
        log.info(
          `jump: wall ${Math.round(wall - before.wall)} mono ${Math.round(mono - before.mono)} now ${Math.round(wall)} ` +
            `random ${random.bytes(8).join('.')} ${Math.random()}`,
        )
        setTimeout(() => log.info(`a second later: ${burst} beats of ${BEAT} ms`), 1000)
      } else if (mono - jumpedAt <= 1000) burst++
      if (beats % 20 === 0) log.info(`beat ${beats}`)
    }, BEAT)
    log.info('beating')
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
    clearInterval(timer)
  },
})
