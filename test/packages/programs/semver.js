// compare, ranges, increments
import semver from 'semver'

export default async say => {
  say([
    semver.satisfies('1.2.3', '^1.0.0 || >=3'),
    semver.gt('1.10.0', '1.9.9'),
    semver.inc('1.2.3', 'minor'),
    semver.coerce('v2.x').version,
  ])
  say([
    semver.maxSatisfying(['1.0.0', '1.5.2', '2.0.0'], '1.x'),
    semver.parse('1.2.3-beta.1+x').prerelease,
    semver.validRange('~1.2'),
    ['2.0.0', '1.0.0-a', '1.0.0'].sort(semver.compare),
  ])
}
