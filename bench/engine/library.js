// The built-in library: strings, regular expressions, JSON, collections, sorting, promises.
(function () {
  const head = { status: 200, type: 'text/html; charset=utf-8', length: 5120, modified: 'Sun, 22 Nov 2026 18:29:54 GMT' }
  benchmark('text-build', 5000, 5000 * 127, count => {
    let total = 0
    for (let i = 0; i < count; i++) {
      let text = `HTTP/1.1 ${head.status} OK\r\n`
      text += 'content-type: ' + head.type + '\r\n'
      text += 'content-length: ' + head.length + '\r\n'
      text += 'last-modified: ' + head.modified + '\r\n\r\n'
      total += text.length
    }
    return total
  })

  const request = 'GET /notes/2026/index.html?sort=date&page=12 HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: bench/1.0 (unikernel)\r\n' +
    'Accept: text/html,application/xhtml+xml\r\nAccept-Encoding: gzip, br\r\nConnection: keep-alive\r\nCookie: id=8f14e45fceea167a5a36dedd4bea2543\r\n\r\n'
  benchmark('text-scan', 500, 500 * 8, count => {
    let lines = 0
    for (let i = 0; i < count; i++) {
      for (let at = 0; at < request.length; at++) if (request.charCodeAt(at) === 13) lines++
    }
    return lines
  })
  benchmark('text-split', 2000, 2000 * 6, count => {
    let fields = 0
    for (let i = 0; i < count; i++) {
      const lines = request.split('\r\n').slice(1).filter(line => line !== '')
      const headers = {}
      for (const line of lines) {
        const colon = line.indexOf(':')
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
      }
      fields += Object.keys(headers).length
    }
    return fields
  })
  benchmark('regexp', 2000, 2000 * 4, count => {
    let found = 0
    for (let i = 0; i < count; i++) {
      const line = /^(GET|HEAD|POST) ([^ ?]+)(?:\?([^ ]*))? HTTP\/1\.(\d)/.exec(request)
      found += line[3].split('&').length + (/\bgzip\b/i.test(request) ? 1 : 0) + request.match(/id=([0-9a-f]{32})/)[1].length - 31
    }
    return found
  })

  const record = { id: 4711, name: 'sys-net', tags: ['template', 'net', 'hvm'], address: { ip: '10.137.0.5', mask: '255.255.255.255' }, up: true, load: 0.25, note: null }
  const text = JSON.stringify(Array.from({ length: 8 }, (_, id) => ({ ...record, id })))
  benchmark('json-parse', 500, 500 * 8, count => {
    let total = 0
    for (let i = 0; i < count; i++) total += JSON.parse(text).length
    return total
  })
  const parsed = JSON.parse(text)
  benchmark('json-write', 500, 500 * text.length, count => {
    let total = 0
    for (let i = 0; i < count; i++) total += JSON.stringify(parsed).length
    return total
  })

  benchmark('maps', 20000, 20000, count => {
    const table = new Map(), seen = new Set()
    let hits = 0
    for (let i = 0; i < count; i++) {
      const key = `10.137.0.${i & 127}:${1024 + (i & 255)}`
      const entry = table.get(key)
      if (entry) entry.count++
      else table.set(key, { count: 1 })
      seen.add(i & 1023)
      if (seen.has(i & 1023)) hits++
      if ((i & 511) === 511) {
        table.clear()
        seen.delete(i & 1023)
      }
    }
    return hits
  })

  benchmark('sort', 30, 30 * 999, count => {
    let total = 0
    for (let i = 0; i < count; i++) {
      let state = 12345
      const numbers = Array.from({ length: 1000 }, () => state = state * 1103515245 + 12345 & 0x7fffffff)
      numbers.sort((a, b) => a - b)
      for (let k = 1; k < numbers.length; k++) if (numbers[k - 1] <= numbers[k]) total++
    }
    return total
  })

  benchmark('garbage', 5000, 5000 * 10, count => {
    let total = 0
    for (let i = 0; i < count; i++) {
      let list = null
      for (let k = 0; k < 10; k++) list = { value: [k], next: list }
      list.self = list // a cycle, for the collector
      for (let node = list; node; node = node.next) total++
    }
    return total
  })
})()
