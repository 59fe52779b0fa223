/** https://urlpattern.spec.whatwg.org , by the package that edge runtimes took it from. It stands on URL, which comes with it. */
export { URLPattern } from 'urlpattern-polyfill/urlpattern'
