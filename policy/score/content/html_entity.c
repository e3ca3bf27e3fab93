#include "policy/score/content/html_entity.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>


#define NAME_MAX_BYTES 15
#define DIGITS_MAX     10

/* U+00A0 to U+00FF in order; HTML knows these without ";" too, as it does amp, lt, gt and
 * quot. */
static const char latin1[96][8] = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",
    "uml",    "copy",   "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",
    "deg",    "plusmn", "sup2",   "sup3",   "acute",  "micro",  "para",   "middot",
    "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12", "frac34", "iquest",
    "Agrave", "Aacute", "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil",
    "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave", "Iacute", "Icirc",  "Iuml",
    "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",   "times",
    "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",  "szlig",
    "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil",
    "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",
    "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide",
    "oslash", "ugrave", "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml",
};

static const struct name {
    char name[NAME_MAX_BYTES + 1];
    uint16_t code; /* all are below U+10000 */
} names[] = {
    /* by octets, for bsearch */
    {"AMP", 0x26},      {"Alpha", 0x391},
    {"Beta", 0x392},    {"COPY", 0xa9},
    {"Chi", 0x3a7},     {"Dagger", 0x2021},
    {"Delta", 0x394},   {"Epsilon", 0x395},
    {"Eta", 0x397},     {"GT", 0x3e},
    {"Gamma", 0x393},   {"Iota", 0x399},
    {"Kappa", 0x39a},   {"LT", 0x3c},
    {"Lambda", 0x39b},  {"Mu", 0x39c},
    {"NewLine", 0xa},   {"NoBreak", 0x2060},
    {"Nu", 0x39d},      {"OElig", 0x152},
    {"Omega", 0x3a9},   {"Omicron", 0x39f},
    {"Phi", 0x3a6},     {"Pi", 0x3a0},
    {"Prime", 0x2033},  {"Psi", 0x3a8},
    {"QUOT", 0x22},     {"REG", 0xae},
    {"Rho", 0x3a1},     {"Scaron", 0x160},
    {"Sigma", 0x3a3},   {"Tab", 0x9},
    {"Tau", 0x3a4},     {"Theta", 0x398},
    {"Upsilon", 0x3a5}, {"Xi", 0x39e},
    {"Yuml", 0x178},    {"ZeroWidthSpace", 0x200b},
    {"Zeta", 0x396},    {"alefsym", 0x2135},
    {"alpha", 0x3b1},   {"amp", 0x26},
    {"and", 0x2227},    {"ang", 0x2220},
    {"apos", 0x27},     {"ast", 0x2a},
    {"asymp", 0x2248},  {"bdquo", 0x201e},
    {"beta", 0x3b2},    {"bsol", 0x5c},
    {"bull", 0x2022},   {"cap", 0x2229},
    {"check", 0x2713},  {"chi", 0x3c7},
    {"circ", 0x2c6},    {"clubs", 0x2663},
    {"colon", 0x3a},    {"comma", 0x2c},
    {"commat", 0x40},   {"cong", 0x2245},
    {"crarr", 0x21b5},  {"cup", 0x222a},
    {"dArr", 0x21d3},   {"dagger", 0x2020},
    {"darr", 0x2193},   {"dash", 0x2010},
    {"delta", 0x3b4},   {"diams", 0x2666},
    {"dollar", 0x24},   {"empty", 0x2205},
    {"emsp", 0x2003},   {"ensp", 0x2002},
    {"epsilon", 0x3b5}, {"equals", 0x3d},
    {"equiv", 0x2261},  {"eta", 0x3b7},
    {"euro", 0x20ac},   {"excl", 0x21},
    {"exist", 0x2203},  {"fnof", 0x192},
    {"forall", 0x2200}, {"frasl", 0x2044},
    {"gamma", 0x3b3},   {"ge", 0x2265},
    {"grave", 0x60},    {"gt", 0x3e},
    {"hArr", 0x21d4},   {"harr", 0x2194},
    {"hearts", 0x2665}, {"hellip", 0x2026},
    {"hyphen", 0x2010}, {"image", 0x2111},
    {"infin", 0x221e},  {"int", 0x222b},
    {"iota", 0x3b9},    {"isin", 0x2208},
    {"kappa", 0x3ba},   {"lArr", 0x21d0},
    {"lambda", 0x3bb},  {"lang", 0x2329},
    {"larr", 0x2190},   {"lbrace", 0x7b},
    {"lbrack", 0x5b},   {"lceil", 0x2308},
    {"lcub", 0x7b},     {"ldquo", 0x201c},
    {"le", 0x2264},     {"lfloor", 0x230a},
    {"lowast", 0x2217}, {"lowbar", 0x5f},
    {"loz", 0x25ca},    {"lpar", 0x28},
    {"lrm", 0x200e},    {"lsaquo", 0x2039},
    {"lsqb", 0x5b},     {"lsquo", 0x2018},
    {"lt", 0x3c},       {"mdash", 0x2014},
    {"minus", 0x2212},  {"mu", 0x3bc},
    {"nabla", 0x2207},  {"ndash", 0x2013},
    {"ne", 0x2260},     {"ni", 0x220b},
    {"notin", 0x2209},  {"nsub", 0x2284},
    {"nu", 0x3bd},      {"num", 0x23},
    {"oelig", 0x153},   {"oline", 0x203e},
    {"omega", 0x3c9},   {"omicron", 0x3bf},
    {"oplus", 0x2295},  {"or", 0x2228},
    {"otimes", 0x2297}, {"part", 0x2202},
    {"percnt", 0x25},   {"period", 0x2e},
    {"permil", 0x2030}, {"perp", 0x22a5},
    {"phi", 0x3c6},     {"phone", 0x260e},
    {"pi", 0x3c0},      {"piv", 0x3d6},
    {"plus", 0x2b},     {"prime", 0x2032},
    {"prod", 0x220f},   {"prop", 0x221d},
    {"psi", 0x3c8},     {"quest", 0x3f},
    {"quot", 0x22},     {"rArr", 0x21d2},
    {"radic", 0x221a},  {"rang", 0x232a},
    {"rarr", 0x2192},   {"rbrace", 0x7d},
    {"rbrack", 0x5d},   {"rceil", 0x2309},
    {"rcub", 0x7d},     {"rdquo", 0x201d},
    {"real", 0x211c},   {"rfloor", 0x230b},
    {"rho", 0x3c1},     {"rlm", 0x200f},
    {"rpar", 0x29},     {"rsaquo", 0x203a},
    {"rsqb", 0x5d},     {"rsquo", 0x2019},
    {"sbquo", 0x201a},  {"scaron", 0x161},
    {"sdot", 0x22c5},   {"semi", 0x3b},
    {"sigma", 0x3c3},   {"sigmaf", 0x3c2},
    {"sim", 0x223c},    {"sol", 0x2f},
    {"spades", 0x2660}, {"star", 0x2606},
    {"starf", 0x2605},  {"sub", 0x2282},
    {"sube", 0x2286},   {"sum", 0x2211},
    {"sup", 0x2283},    {"supe", 0x2287},
    {"tau", 0x3c4},     {"there4", 0x2234},
    {"theta", 0x3b8},   {"thetasym", 0x3d1},
    {"thinsp", 0x2009}, {"tilde", 0x2dc},
    {"trade", 0x2122},  {"uArr", 0x21d1},
    {"uarr", 0x2191},   {"upsih", 0x3d2},
    {"upsilon", 0x3c5}, {"verbar", 0x7c},
    {"vert", 0x7c},     {"weierp", 0x2118},
    {"xi", 0x3be},      {"zeta", 0x3b6},
    {"zwj", 0x200d},    {"zwnj", 0x200c},
};
#define NAMES (sizeof names / sizeof names[0])

/* What people mean by &#128; to &#159; (HTML 13.2.5.80): Windows-1252. 0: nothing. */
static const uint16_t c1[32] = {
    0x20ac, 0,      0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
    0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0,      0x17d,  0,
    0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0,      0x17e,  0x178,
};

static int digit_value(char c, bool is_hex)
{
    return is_hex || ascii_is_digit(c) ? ascii_hex_value(c) : -1;
}

/* "&#65;" and "&#x41;"; `v` stands at "&#". */
static size_t numeric(struct view v, uint32_t *code)
{
    size_t i = 2, first;
    bool is_hex = i < v.n && ascii_lower(v.p[i]) == 'x';
    uint32_t value = 0;
    i += is_hex ? 1 : 0;
    first = i;
    for (; i < v.n && i < first + DIGITS_MAX; i++) {
        int digit = digit_value(v.p[i], is_hex);
        if (digit < 0)
            break;
        if (value <= 0x10ffff)
            value = value * (is_hex ? 16 : 10) + (uint32_t)digit;
    }
    if (i == first)
        return 0;
    if (value >= 0x80 && value < 0xa0 && c1[value - 0x80])
        value = c1[value - 0x80];
    bool is_char = value > 0 && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    *code = is_char ? value : 0xfffd;
    return i < v.n && v.p[i] == ';' ? i + 1 : i;
}

static int by_name(const void *key, const void *entry)
{
    return strcmp(key, ((const struct name *)entry)->name);
}

/* 0: no such name. */
static uint32_t code_of(const char *name, bool *needs_semicolon)
{
    *needs_semicolon = false;
    for (size_t i = 0; i < sizeof latin1 / sizeof latin1[0]; i++)
        if (strcmp(latin1[i], name) == 0)
            return 0xa0 + (uint32_t)i;
    const struct name *found = bsearch(name, names, NAMES, sizeof names[0], by_name);
    if (!found)
        return 0;
    *needs_semicolon = found->code >= 0x80 || !strchr("&<>\"", (int)found->code);
    return found->code;
}

size_t html_entity(struct view v, uint32_t *code)
{
    char name[NAME_MAX_BYTES + 1];
    size_t n = 0;
    if (v.n < 3 || v.p[0] != '&')
        return 0;
    if (v.p[1] == '#')
        return numeric(v, code);
    while (n < NAME_MAX_BYTES && n + 1 < v.n &&
           (ascii_is_alpha(v.p[n + 1]) || ascii_is_digit(v.p[n + 1]))) {
        name[n] = v.p[n + 1];
        n++;
    }
    name[n] = '\0';
    bool needs_semicolon;
    bool has_semicolon = n + 1 < v.n && v.p[n + 1] == ';';
    *code = n > 0 ? code_of(name, &needs_semicolon) : 0;
    if (*code == 0 || (needs_semicolon && !has_semicolon))
        return 0;
    return n + (has_semicolon ? 2 : 1);
}
