import test from 'ava'
import { decide, PolicySyntaxError, parsePolicy } from './policy.ts'
import { defaultPolicy, getDate, policyOf } from './services.ts'

const work = { name: 'work', type: 'AppVM', tags: ['green'] }

function target(policy: string, service: string, argument: string, to: string): string {
  const decision = decide(parsePolicy(policy, 'p'), work, { service, argument, target: to })
  return decision.allow ? `${decision.target} by ${decision.place}` : decision.why
}

test('the first rule that matches decides, and none is a denial', t => {
  const policy = '# comment\n\nmy.Echo +a work dom0 deny\nmy.Echo * work dom0 allow\n  other * * * deny notify=no\n'
  t.is(target(policy, 'my.Echo', 'a', 'dom0'), 'denied by p:3')
  t.is(target(policy, 'my.Echo', 'b', 'dom0'), 'dom0 by p:4')
  t.is(target(policy, 'my.Echo', '', '@adminvm'), 'dom0 by p:4')
  t.is(target(policy, 'my.Echo', 'b', '@default'), 'no rule matches')
  t.is(target(policy, 'my.Echo2', '', 'dom0'), 'no rule matches')
})

test('a bare + is a call without an argument', t => {
  const policy = 'my.Echo + @anyvm @default allow target=dom0'
  t.is(target(policy, 'my.Echo', '', '@default'), 'dom0 by p:1')
  t.is(target(policy, 'my.Echo', 'x', '@default'), 'no rule matches')
})

test('@anyvm is @default and every qube, but not dom0; * is all of them', t => {
  t.is(target('* * @anyvm @anyvm allow target=dom0', 'a', '', '@default'), 'dom0 by p:1')
  t.is(target('* * @anyvm @anyvm allow target=dom0', 'a', '', ''), 'dom0 by p:1')
  t.is(target('* * @anyvm @anyvm allow target=dom0', 'a', '', 'dom0'), 'no rule matches')
  t.is(target('* * * * allow', 'a', '', 'dom0'), 'dom0 by p:1')
  t.is(target('* * * * allow', 'a', '', '@default'), 'p:1 allows it, but neither the qube nor the rule names a target')
})

test('sources by name, class and tag', t => {
  for (const source of ['work', '*', '@anyvm', '@type:AppVM', '@tag:green'])
    t.is(target(`a * ${source} dom0 allow`, 'a', '', 'dom0'), 'dom0 by p:1', source)
  for (const source of ['vault', '@type:TemplateVM', '@tag:red', '@dispvm:work'])
    t.is(target(`a * ${source} dom0 allow`, 'a', '', 'dom0'), 'no rule matches', source)
})

test('ask is a denial, an unknown qube is one before any rule', t => {
  t.is(target('a * * @default ask default_target=dom0', 'a', '', '@default'), 'p:1 asks the user, who is not here: denied')
  t.is(target('* * * * allow', 'a', '', 'nobody'), "there is no qube 'nobody' here")
})

for (const [line, why] of [
  ['my.Echo * work dom0', /five fields/],
  ['my.Echo+a * work dom0 allow', /service 'my.Echo\+a'/],
  ['my.Echo a work dom0 allow', /argument 'a': it begins with \+/],
  ['* +a work dom0 allow', /service \* goes with argument \* only/],
  ['my.Echo * dom0 work allow', /source 'dom0'/],
  ['my.Echo * @default work allow', /source '@default'/],
  ['my.Echo * work @nobody allow', /target '@nobody'/],
  ['my.Echo * work @tag: allow', /target '@tag:'/],
  ['my.Echo * work dom0 permit', /action 'permit'/],
  ['my.Echo * work @default allow', /allow for @default needs target=/],
  ['my.Echo * work dom0 allow target', /parameter 'target' is not of the form/],
  ['my.Echo * work dom0 allow target=a target=b', /given twice/],
  ['my.Echo * work dom0 allow target=@anyvm', /target=@anyvm/],
  ['my.Echo * work dom0 deny target=dom0', /deny has no parameter 'target'/],
  ['my.Echo * work dom0 allow notify=perhaps', /notify= is yes or no/],
  ['!include other', /directives/],
] as const) {
  test(`a file with '${line}' is refused, with its place`, t => {
    const error = t.throws(() => parsePolicy(`\n${line}\n`, 'p.policy'), { instanceOf: PolicySyntaxError, message: why })
    t.true(error.message.startsWith('p.policy:2: '))
  })
}

test('GetDate has 26 bytes, with nanoseconds 36', t => {
  t.is(getDate('', 0), '1970-01-01T00:00:00+00:00\n')
  t.is(getDate('nanoseconds', 1_764_000_000_123), '2025-11-24T16:00:00,123000000+00:00\n')
})

test('the usual policy: the date is given by @default only, as in Qubes; what asks the user is denied', async t => {
  const policy = policyOf({ source: work })
  const answer = policy({ target: '@default', service: 'qubes.GetDate', argument: 'nanoseconds' })
  t.true(typeof answer === 'function' && String(await answer(Buffer.alloc(0))).length === 36)
  t.is(policy({ target: 'dom0', service: 'qubes.GetDate', argument: '' }), 'no rule matches')
  t.regex(String(policy({ target: '@default', service: 'qubes.Filecopy', argument: '' })), /asks the user/)
  t.regex(
    String(policyOf({ source: { ...work, tags: ['anon-vm'] } })({ target: '@default', service: 'qubes.GetDate', argument: '' })),
    /^denied by default\.policy:2$/,
  )
  t.true(parsePolicy(defaultPolicy, 'default').length > 8)
})

test("services of one's own get input, argument and source; unknown ones end with 127", async t => {
  const policy = policyOf({
    source: work,
    policy: '* * * dom0 allow',
    services: [['my.Echo', ({ argument, input, source }) => `${source}+${argument}: ${input}`]],
  })
  const call = (service: string) => {
    const answer = policy({ target: 'dom0', service, argument: 'x' })
    return typeof answer === 'function' ? answer(Buffer.from('hello')) : t.fail(String(answer))
  }
  t.is(await call('my.Echo'), 'work+x: hello')
  t.like(await call('my.Other'), { code: 127 })
})

test('a rule may send a call to a qube that is not here', t => {
  const policy = policyOf({ source: work, policy: 'a * * @default allow target=vault' })
  t.is(
    policy({ target: '@default', service: 'a', argument: '' }),
    'default.policy:1 sends it to vault, and no other qube than work is here',
  )
})
