/**
 * A small font for screens: ASCII from space to tilde in cells of 6 x 8 pixels. Each character is eight rows from top to bottom, a
 * row is one digit of base 32 whose five bits are the pixels from left to right; the sixth column is the gap.
 */
export const CELL_WIDTH = 6
export const CELL_HEIGHT = 8

const FIRST = 0x20
const UNKNOWN = '?'.charCodeAt(0) - FIRST

const rows =
  '00000000' +
  '44444040' +
  'aaa00000' +
  'aavavaa0' +
  '4fke5u40' +
  'op248j30' +
  'cik8lid0' +
  '44800000' + //   ! " # $ % & '
  '24888420' +
  '84222480' +
  '04lel400' +
  '044v4400' +
  '00000c48' +
  '000v0000' +
  '00000cc0' +
  '01248g00' + // ( ) * + , - . /
  'ehjlphe0' +
  '4c4444e0' +
  'eh1248v0' +
  'v2421he0' +
  '26aiv220' +
  'vgu11he0' +
  '68guhhe0' +
  'v1248880' + // 0 1 2 3 4 5 6 7
  'ehhehhe0' +
  'ehhf12c0' +
  '0cc0cc00' +
  '0cc0c480' +
  '248g8420' +
  '00v0v000' +
  '84212480' +
  'eh124040' + // 8 9 : ; < = > ?
  'eh1dlle0' +
  'ehhvhhh0' +
  'uhhuhhu0' +
  'ehggghe0' +
  'sihhhis0' +
  'vgguggv0' +
  'vgguggg0' +
  'ehgnhhf0' + // @ A B C D E F G
  'hhhvhhh0' +
  'e44444e0' +
  '72222ic0' +
  'hikokih0' +
  'ggggggv0' +
  'hrllhhh0' +
  'hhpljhh0' +
  'ehhhhhe0' + // H I J K L M N O
  'uhhuggg0' +
  'ehhhlid0' +
  'uhhukih0' +
  'fgge11u0' +
  'v4444440' +
  'hhhhhhe0' +
  'hhhhha40' +
  'hhhllla0' + // P Q R S T U V W
  'hha4ahh0' +
  'hhha4440' +
  'v1248gv0' +
  'e88888e0' +
  '0g842100' +
  'e22222e0' +
  '4ah00000' +
  '0000000v' + // X Y Z [ \ ] ^ _
  '84200000' +
  '00e1fhf0' +
  'ggmphhu0' +
  '00egghe0' +
  '11djhhf0' +
  '00ehvge0' +
  '698s8880' +
  '00fhhf1e' + // ` a b c d e f g
  'ggmphhh0' +
  '40c444e0' +
  '206222ic' +
  'ggikoki0' +
  'c44444e0' +
  '00qllhh0' +
  '00mphhh0' +
  '00ehhhe0' + // h i j k l m n o
  '00uhhugg' +
  '00fhhf11' +
  '00mpggg0' +
  '00ege1u0' +
  '88s88960' +
  '00hhhjd0' +
  '00hhha40' +
  '00hhlla0' + // p q r s t u v w
  '00ha4ah0' +
  '00hhhf1e' +
  '00v248v0' +
  '24484420' +
  '44444440' +
  '84424480' +
  '008l2000' //               x y z { | } ~

const glyphs = Uint8Array.from(rows, digit => parseInt(digit, 32))
const count = glyphs.length / CELL_HEIGHT

/** The five pixels of row `row` (0 to 7) of a character, bit 4 the leftmost; a question mark for what is not ASCII. */
export function glyphRow(code: number, row: number): number {
  const index = code - FIRST
  return glyphs[(index >= 0 && index < count ? index : UNKNOWN) * CELL_HEIGHT + row]
}
