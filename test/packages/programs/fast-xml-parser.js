// XML to objects and back, attributes, validation
import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser'

export default async say => {
  const xml = '<?xml version="1.0"?><feed lang="en"><item id="1">a &amp; b</item><item id="2"><![CDATA[<c>]]></item><n>1.50</n></feed>'
  const parsed = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@' }).parse(xml)
  say(parsed)
  say(new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true }).build(parsed))
  say([XMLValidator.validate('<a><b></a>').err?.code, XMLValidator.validate('<a/>')])
}
