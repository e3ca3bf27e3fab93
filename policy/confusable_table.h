/* For confusable.c alone: characters and the plain ones that they look like, by code point. Chosen by hand, not
 * copied: letters of other scripts that stand in for Latin ones, as Unicode describes the matter (UTS #39,
 * "Unicode Security Mechanisms", whose data are (c) Unicode, Inc. under the Unicode License), strokes that pass
 * as a hyphen, and kanji that pass as katakana. What follows from a rule (wide forms, mathematical letters,
 * circled letters) is in the code. */
#ifndef POLICY_CONFUSABLE_TABLE_H
#define POLICY_CONFUSABLE_TABLE_H

#include <stdint.h>

static const struct {
    uint32_t code;
    const char *plain;
} confusables[] = {
    {0x00d7, "x"}, {0x0131, "i"}, {0x0138, "k"}, {0x017f, "f"}, {0x0184, "b"}, {0x01c0, "l"},
    {0x0251, "a"}, {0x0261, "g"}, {0x0269, "i"}, {0x026a, "i"}, {0x028d, "rn"}, {0x028f, "y"},
    {0x0391, "a"}, {0x0392, "b"}, {0x0395, "e"}, {0x0396, "z"}, {0x0397, "h"}, {0x0399, "l"},
    {0x039a, "k"}, {0x039c, "rn"}, {0x039d, "n"}, {0x039f, "o"}, {0x03a1, "p"}, {0x03a4, "t"},
    {0x03a5, "y"}, {0x03a7, "x"}, {0x03b1, "a"}, {0x03b3, "y"}, {0x03b7, "n"}, {0x03b9, "i"},
    {0x03ba, "k"}, {0x03bd, "v"}, {0x03bf, "o"}, {0x03c1, "p"}, {0x03c3, "o"}, {0x03c4, "t"},
    {0x03c5, "u"}, {0x03c7, "x"}, {0x03c9, "vv"}, {0x03dd, "f"}, {0x03f2, "c"}, {0x03f3, "j"},
    {0x0405, "s"}, {0x0406, "l"}, {0x0408, "j"}, {0x0410, "a"}, {0x0412, "b"}, {0x0415, "e"},
    {0x041a, "k"}, {0x041c, "rn"}, {0x041d, "h"}, {0x041e, "o"}, {0x0420, "p"}, {0x0421, "c"},
    {0x0422, "t"}, {0x0423, "y"}, {0x0425, "x"}, {0x042c, "b"}, {0x0430, "a"}, {0x0432, "b"},
    {0x0433, "r"}, {0x0435, "e"}, {0x043a, "k"}, {0x043c, "rn"}, {0x043d, "h"}, {0x043e, "o"},
    {0x043f, "n"}, {0x0440, "p"}, {0x0441, "c"}, {0x0442, "t"}, {0x0443, "y"}, {0x0445, "x"},
    {0x044c, "b"}, {0x0455, "s"}, {0x0456, "i"}, {0x0458, "j"}, {0x0474, "v"}, {0x0475, "v"},
    {0x04ae, "y"}, {0x04af, "y"}, {0x04bb, "h"}, {0x04bd, "e"}, {0x04c0, "l"}, {0x04cf, "l"},
    {0x0501, "d"}, {0x050c, "g"}, {0x051a, "q"}, {0x051b, "q"}, {0x051c, "vv"}, {0x051d, "vv"},
    {0x0566, "q"}, {0x0570, "h"}, {0x0575, "j"}, {0x0578, "n"}, {0x057c, "n"}, {0x057d, "u"},
    {0x0581, "g"}, {0x0585, "o"}, {0x07c0, "o"}, {0x0966, "o"}, {0x09e6, "o"}, {0x0a66, "o"},
    {0x0b66, "o"}, {0x0be6, "o"}, {0x0ed0, "o"}, {0x1d04, "c"}, {0x1d0f, "o"}, {0x1d1c, "u"},
    {0x1d20, "v"}, {0x1d21, "vv"}, {0x1d22, "z"}, {0x1d26, "r"}, {0x1eff, "y"}, {0x2010, "-"},
    {0x2011, "-"}, {0x2012, "-"}, {0x2013, "-"}, {0x2014, "-"}, {0x2015, "-"}, {0x2024, "."},
    {0x210a, "g"}, {0x210e, "h"}, {0x2113, "l"}, {0x212e, "e"}, {0x212f, "e"}, {0x2134, "o"},
    {0x2139, "i"}, {0x2174, "v"}, {0x2179, "x"}, {0x217c, "l"}, {0x217d, "c"}, {0x217e, "d"},
    {0x217f, "rn"}, {0x2212, "-"}, {0x2223, "l"}, {0x2228, "v"}, {0x2374, "p"}, {0x2500, "-"},
    {0x2c85, "r"}, {0x2d4f, "l"}, {0x3002, "."}, {0x3007, "o"}, {0x3078, "\xe3\x83\x98"},
    {0x3079, "\xe3\x83\x99"}, {0x307a, "\xe3\x83\x9a"}, {0x308a, "\xe3\x83\xaa"}, {0x30fc, "-"},
    {0x4e00, "-"}, {0x4e3f, "\xe3\x83\x8e"}, {0x4e8c, "\xe3\x83\x8b"}, {0x516b, "\xe3\x83\x8f"},
    {0x529b, "\xe3\x82\xab"}, {0x535c, "\xe3\x83\x88"}, {0x53e3, "\xe3\x83\xad"},
    {0x5915, "\xe3\x82\xbf"}, {0x5de5, "\xe3\x82\xa8"}, {0x624d, "\xe3\x82\xaa"}, {0xa647, "i"},
    {0xa731, "s"}, {0xa79f, "u"}, {0xfe52, "."}, {0xfe58, "-"}, {0xfe6b, "@"}, {0xff0e, "."},
    {0xff20, "@"}, {0xff3f, "_"}, {0xff61, "."}, {0xff70, "-"}, {0x1042c, "o"},
};

#endif
