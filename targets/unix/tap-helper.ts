/**
 * What reads and writes a tap device for us: Node has no ioctl, and a tap device is opened by one (TUNSETIFF, Documentation/networking/tuntap.rst).
 * Python is on every Linux that has Xen's tools, and needs no compiler. It is given the program as text, and speaks frames over its standard
 * streams: a length of two bytes, little-endian, before each. The first one says what the device is: the 6 bytes of its address, its MTU (4 bytes),
 * its flags (2, IFF_UP is 1). Its own end is that of its input. What fails at the beginning is a line on standard error: what, and errno.
 */
export const TAP_HELPER = `
import errno, fcntl, os, select, socket, struct, sys

def fail(what, error):
    sys.stderr.write('%s %s' % (what, errno.errorcode.get(error.errno, error.errno)))
    sys.exit(1)

name = sys.argv[1].encode()
try:
    tap = os.open('/dev/net/tun', os.O_RDWR)
except OSError as error:
    fail('open', error)

IFF_TAP, IFF_NO_PI, TUNSETIFF = 2, 0x1000, 0x400454ca
try:
    fcntl.ioctl(tap, TUNSETIFF, struct.pack('16sH22x', name, IFF_TAP | IFF_NO_PI))
except OSError as error:
    fail('attach', error)

SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFHWADDR = 0x8913, 0x8921, 0x8927
try:
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ask = lambda what: fcntl.ioctl(asker, what, struct.pack('16s24x', name))[16:]
    mac = ask(SIOCGIFHWADDR)[2:8]
    mtu, = struct.unpack('I', ask(SIOCGIFMTU)[:4])
    flags, = struct.unpack('H', ask(SIOCGIFFLAGS)[:2])
except OSError as error:
    fail('ask', error)

def put(frame):
    data = struct.pack('<H', len(frame)) + frame
    while data:
        data = data[os.write(1, data):]

poll = select.poll()
poll.register(0, select.POLLIN)
poll.register(tap, select.POLLIN)
rest = b''
try:
    put(mac + struct.pack('<IH', mtu, flags))
    while True:
        for source, _ in poll.poll():
            if source == tap:
                put(os.read(tap, 65535))
                continue
            data = os.read(0, 262144)
            if not data:
                sys.exit(0)
            rest += data
            at = 0
            while len(rest) - at >= 2:
                length = rest[at] | rest[at + 1] << 8
                if len(rest) - at < 2 + length:
                    break
                try:
                    os.write(tap, rest[at + 2:at + 2 + length])
                except OSError as error:
                    # The device is down, or has no room: the frame is lost, as on a wire.
                    if error.errno not in (errno.EIO, errno.ENOBUFS, errno.ENOMEM):
                        raise
                at += 2 + length
            rest = rest[at:]
except BrokenPipeError:
    sys.exit(0)
except OSError as error:
    fail('use', error)
`
