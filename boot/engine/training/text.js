// Text: templates, building a page, URL and header handling, base64 and hex, regular expressions, number formats.
(function () {
  const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  const escape = text => text.replace(/[&<>"]/g, sign => escapes[sign])
  const row = ({ name, size, when }) => `<tr><td>${escape(name)}</td><td>${size.toLocaleString ? size : 0}</td><td>${when}</td></tr>\n`
  const pad = (n, width = 2) => String(n).padStart(width, '0')

  let page = ''
  for (let i = 0; i < 800; i++)
    page += row({ name: `file <${i}> & "co"`, size: i * 1234, when: `2026-${pad(1 + i % 12)}-${pad(1 + i % 28)}T${pad(i % 24)}:${pad(i % 60)}:00Z` })

  function parseUrl(text) {
    const match = text.match(/^([a-z][a-z0-9+.-]*):\/\/([^/:?#]+)(?::(\d+))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/i)
    if (!match) return null
    const [, scheme, host, port = '80', path, query = '', fragment] = match
    const parameters = Object.fromEntries(query.split('&').filter(Boolean).map(pair => pair.split('=').map(decodeURIComponent)))
    return { scheme: scheme.toLowerCase(), host, port: Number(port), path: path.split('/').filter(part => part && part !== '.'), parameters, fragment }
  }
  let total = 0
  for (let i = 0; i < 900; i++) {
    const url = parseUrl(`HTTP://host${i % 7}.example:80${i % 80}/a/./b${i}/c.html?x=${i}&name=caf%C3%A9&empty=#top`)
    total += url.path.length + url.port + url.parameters.name.length
  }

  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  function base64(bytes) {
    let out = ''
    for (let i = 0; i < bytes.length; i += 3) {
      const word = bytes[i] << 16 | (bytes[i + 1] ?? 0) << 8 | (bytes[i + 2] ?? 0)
      out += alphabet[word >> 18] + alphabet[word >> 12 & 63] + alphabet[word >> 6 & 63] + alphabet.charAt(word & 63)
    }
    return out
  }
  const data = new Uint8Array(300).map((_, i) => i * i)
  for (let i = 0; i < 25; i++) total += base64(data).length
  for (let i = 0; i < 60; i++) total += Array.from(data, byte => byte.toString(16).padStart(2, '0')).join(':').length

  function headers(block) {
    const found = new Map()
    let at = 0
    while (at < block.length) {
      const end = block.indexOf('\n', at)
      const line = block.substring(at, end < 0 ? block.length : end)
      at = end < 0 ? block.length : end + 1
      const colon = line.search(':')
      if (colon > 0) found.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trimStart())
    }
    return found
  }
  const block = 'Server: x\nDate: Sun, 22 Nov 2026 18:29:54 GMT\nCache-Control: max-age=3600, must-revalidate\nETag: "5f-12"\nVary: accept\n'
  for (let i = 0; i < 700; i++) total += headers(block).size + (headers(block).get('etag') === '"5f-12"')

  // Characters by code, words counted, text in other alphabets, comparison.
  const words = new Map()
  const prose = 'the quick brown fox \u0434\u043e\u043c jumps over the lazy dog \u20ac and the cat \ud83d\ude00 '.repeat(60)
  for (const word of prose.split(/\s+/u)) words.set(word, (words.get(word) ?? 0) + 1)
  let upper = 0
  for (let i = 0; i < prose.length; i++) {
    const code = prose.charCodeAt(i)
    if (code >= 97 && code <= 122) upper += code - 32
    else if (code > 0xff) upper += String.fromCharCode(code).codePointAt(0) & 1
  }
  for (const character of prose) total += character.length
  const sorted = [...words.keys()].sort((a, b) => a < b ? -1 : a > b ? 1 : 0).sort((a, b) => a.localeCompare(b))
  for (let i = 0; i < 2500; i++) total += (i * 0.37).toFixed(2).length + String(i / 7).length + parseInt(`${i}px`, 10) + parseFloat(`${i}.5e-1`)
  total += (page.match(/<td>/g) ?? []).length + page.replaceAll('td', 'th').lastIndexOf('th') + page.toUpperCase().length
  let tokens = 0
  const scanner = /\s*(?:([A-Za-z_]\w*)|(\d+(?:\.\d+)?)|("(?:[^"\\]|\\.)*")|(=>|[-+*\/(){};=<>]))/y
  const source = 'let total = 12.5 * (count + 3); if (name) { say("it\\"s"); } f = x => x - 1;'
  for (let i = 0; i < 120; i++) {
    scanner.lastIndex = 0
    while (scanner.lastIndex < source.length && scanner.exec(source)) tokens++
  }
  print(`text: ${page.length} ${total} ${upper} ${sorted.length} ${tokens} ${'abc' < 'abd'} ${encodeURIComponent('a b/\u00e9').length}`)
})()
