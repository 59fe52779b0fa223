// a schema as text, encode, decode, verify
import protobuf from 'protobufjs'

export default async say => {
  const { root } = protobuf.parse(
    'syntax = "proto3"; package p; message User { string name = 1; repeated int32 n = 2; map<string, double> m = 3; Kind kind = 4; oneof x { bool a = 5; bytes b = 6; } } enum Kind { NONE = 0; SOME = 1; }',
  )
  const User = root.lookupType('p.User')
  const bytes = User.encode(User.create({ name: 'Ann', n: [1, -1, 300], m: { pi: 3.5 }, kind: 1, b: new Uint8Array([7]) })).finish()
  say(Array.from(bytes))
  say(User.toObject(User.decode(bytes), { enums: String, bytes: Array, oneofs: true }))
  say(User.verify({ name: 1 }))
}
