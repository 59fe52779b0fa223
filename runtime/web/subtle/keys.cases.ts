/** Keys for cases, as JSON Web Keys: of nobody, made once. */

export const rsaKey = {
  kty: 'RSA',
  n:
    'rTaaAy7WcFoDGvLM10eDr7ELZYdIw_LuKMfb1BKS0buPoS696k4R2QoJFvCmc5fBVIjXG8Ctth0b5WHAsCv8egnRVD14mtv5KSZUJ2iv4UEDPPEDZJQUnCl_eEsL' +
    'FrQP7FcfrqtBQs41MqaAk-JotpvCyZdgVu3s7xKjxslk0Z78Uss4oK7a3HTgrTZUaao-o2vcRWNqBYy1Iy7ZLeAo1O651ddftq9IrMVumaQTayPN5Slq-fKlNgFi' +
    'Y5khiNBK3B_HlHJCcZeST3Cb8oRXKDx-ItWhyEktzk-BlfJT-aDqYGYnvl52rQNZOwY1FLlWtFZgYGwtQn1bp2QIEHa1mQ',
  e: 'AQAB',
  d:
    'Bvx9eG9lMCGRSn73NXT-92Z5V95TAwRDXYW3dMr4UllG-8X6ManLHSlDIJe9lEqkqOzesDyJ78nQxuRgdI_xnlfTB5t1x9k40tNm8DKlar0dN6deRFTsrTfHRRTR' +
    'x61PjxrHKQZjRXcyZ26WdQsxagbHnoCVNCxjMr6vuGQwcCabnge-_0rWjGI8-JdNQQv2dKWZVCVakwtgGgii4z_59BQ58_M3PW-7YinNCLdyLAm3Jnqqh2cmXLHT' +
    '2Je-5tEkq44DoHvNSajqTpr5RqpevWK0ZrER1cyCZ8_6UjDetCiO0bVTSdFxjvLLpf_0q6SehbDUAFheIWPA-axFOpDHmQ',
  p:
    '9FAoWdRmuNWCOAV5rR8qogEs1msHopmL8hQZouUN9OHu_4aGJwXhc7PeQSalUjnPsioOmR89KBA2kFuag67227-G6EDPxJ3N3Y7yWGy5CYNXNL4BXwZwq0bn6NDr' +
    '-YTU1ERw52ohFEN2PlpQr53w1P2csIVqCXb3gldf04qN2Mc',
  q:
    'tX_Cme-M2G8UXBDB9np7RQZRCfH83QM4DDQi4AlmMsgcQyug-Rh3PElNAnag_CA60BtCfn6Kk3AGCeddQNKtpOQqapwRPhbZ6kIUhJMQcgSR9DoCX6mqQvdCM2Lm' +
    'XyJrVoTtNpkfzzsYP8vklr3fmt00U1l0kUGPC9udRBEcXp8',
  dp:
    '4Pge7_kCThltO6DvFleorl1eqGMOONAjadrQcItzepfBuFJrnetwW1a5xkyL11ecxXas0ptNeWLUm8F-Wtv2PQv0clGcAHU_aFGFH5-eFAB5gPulz5bikRVN37ji' +
    'UnXadUxAmxfDNiGY9Hm96rkJV1fhvTpdFjISYFeMygK_82k',
  dq:
    's_keJLqvdSagj7JmQ1ysw4NB9JSqYxYAC8nfEzz-xDg-HjUzCA5EndkprdmoRJpI93cwdnJQQ2b_9e4gQFkoqqs9jD15s5HBQFOKOPQDiKwTdpPXKrj5BjJcyMu3' +
    'GHru6PoiptMsAbfdkdVCtF9PTScv7b50olzZ1a5NweMduI0',
  qi:
    '7qF9HJ6IZXaJvubeSzoQpXIgCPWHMiKMCigThDAaDUU6sHDu9QUff29Z_MW6JwpUyeUmra-0o0TqBoMhhZz8XqUba0diLL-_cZqd7FKd_qlNWDojloBNzSxAI0yT' +
    'TU2yC4FrJg7TnIq4uq45dpYd79MbKC7RtPKrDxwOthYGXUo',
}

export const ecKeys = {
  'P-256': {
    kty: 'EC',
    crv: 'P-256',
    x: 'MpnpmI0zFHu6gJYdly34Ibo_mGgwGTNbi2RvKA3wLqM',
    y: '7wUP_4PgglTyuSark4Rqvu3LwNgL7TkAX3CqNckRBWw',
    d: 'p6Ae3zqkfvf9VkgNZSkYEGUkhtCQtOBfnwTUJY5DOaw',
  },
  'P-384': {
    kty: 'EC',
    crv: 'P-384',
    x: 'RtCoFtwzKkYpyPXfBj1wqlFOC120urwo2BfowEpcPLDCFLTe4SQ7S9eHbzD4uf-x',
    y: 'wlOuqoej5iGoXt-HgiG7pz7J3FeJEwL215IRtpc6YZBWBWk-_6RIIhb1Af00ZGQQ',
    d: '2RSBIg7YgsCm_HVLVbxRCKL5HZuTsBhyZg42N2dZ17TX6A9RztjSYgfsdGks304P',
  },
  'P-521': {
    kty: 'EC',
    crv: 'P-521',
    x: 'AZkLkXitpdP9QOMsUF2naSoxOENj13VbXjmUUQH0nB25go9hvvClL-a14fWoc4S--T1Xwtf-XFx7kKqkKWOLqYt1',
    y: 'AfH4Zks3qgJU9Wekyr7JZj6tt8K3mp2DYfh8jkVQ-hOC70cb3-kjJ9TV15Q11J2WOT_NsHrKY6KD_-v3TJo82deg',
    d: 'AdNP1WJ8YJ3xrou8idN1ZQzaGb1WQKqzrp7thSXxt9HATAemQSYlwE5dTMrs3qOxHEBRafhI7i7pIs6jL6ZymfyG',
  },
}

export const edKey = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '9O1xMdHpPIrEYjnbxahthXDl6HQQ4A4_c5gn3lJy3D4',
  d: '54l7HFtHvOt6Vof_AufZ4_A7-RgP4buKdcD5LGfHa-o',
}

export const xKey = {
  kty: 'OKP',
  crv: 'X25519',
  x: 'CY_hUsI57LKcR41FKgoyF429lG1NTFnekBeokaNd0yg',
  d: 'YKQReISJml54xsYkFCRwufiL-yvsPxo7aee6vxQvc00',
}

/** The same without what is secret. */
export function publicPart<K extends { d: string }>(key: K): Omit<K, 'd'> {
  const { d: _, ...rest } = key
  return Object.fromEntries(Object.entries(rest).filter(([name]) => !['p', 'q', 'dp', 'dq', 'qi'].includes(name))) as Omit<K, 'd'>
}
