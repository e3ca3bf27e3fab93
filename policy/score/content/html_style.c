#include "policy/score/content/html_style.h"

#include <stdlib.h>
#include <string.h>


#define DECLARATIONS_MAX 64
#define SAME_COLOUR \
    10 /* the most that a channel differs between colours that look the same */

/* ---- numbers and colours ---- */

/* "-1.5" as thousandths off the front of `*v`; false if no number is there. */
static bool take_milli(struct view *v, int64_t *out)
{
    bool is_negative = view_take_char(v, '-'), is_fraction = false;
    int64_t value = 0, scale = 1000;
    size_t n = 0;
    for (; n < v->n && (ascii_is_digit(v->p[n]) || (v->p[n] == '.' && !is_fraction));
         n++) {
        is_fraction |= v->p[n] == '.';
        if (v->p[n] == '.' || (is_fraction && scale == 1))
            continue;
        scale /= is_fraction ? 10 : 1;
        int64_t digit = v->p[n] - '0';
        if (value < INT32_MAX)
            value = is_fraction ? value + digit * scale : value * 10 + digit * 1000;
    }
    *v = view_slice(*v, n, v->n);
    *out = is_negative ? -value : value;
    return n > 0;
}

static int32_t hex_colour(struct view v)
{
    int32_t value = 0;
    if (v.n != 3 && v.n != 6)
        return HTML_COLOUR_UNKNOWN;
    for (size_t i = 0; i < v.n; i++) {
        int digit = ascii_hex_value(v.p[i]);
        if (digit < 0)
            return HTML_COLOUR_UNKNOWN;
        value = value << 4 | digit;
        if (v.n == 3)
            value = value << 4 | digit;
    }
    return value;
}

/* "255, 255, 255)", behind the bracket. */
static int32_t rgb_colour(struct view v)
{
    int32_t value = 0;
    for (int i = 0; i < 3; i++) {
        int64_t channel;
        while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == ','))
            v = view_slice(v, 1, v.n);
        if (!take_milli(&v, &channel))
            return HTML_COLOUR_UNKNOWN;
        bool is_percent = view_take_char(&v, '%');
        int64_t octet = is_percent ? channel * 255 / 100000 : channel / 1000;
        value = value << 8 | (int32_t)(octet < 0 ? 0 : octet > 255 ? 255 : octet);
    }
    return value;
}

int32_t html_colour(struct view text)
{
    static const struct {
        struct view name;
        int32_t colour;
    } names[] = {
        {VIEW_LIT("white"), 0xffffff},      {VIEW_LIT("black"), 0x000000},
        {VIEW_LIT("red"), 0xff0000},        {VIEW_LIT("green"), 0x008000},
        {VIEW_LIT("blue"), 0x0000ff},       {VIEW_LIT("yellow"), 0xffff00},
        {VIEW_LIT("gray"), 0x808080},       {VIEW_LIT("grey"), 0x808080},
        {VIEW_LIT("silver"), 0xc0c0c0},     {VIEW_LIT("navy"), 0x000080},
        {VIEW_LIT("maroon"), 0x800000},     {VIEW_LIT("purple"), 0x800080},
        {VIEW_LIT("lime"), 0x00ff00},       {VIEW_LIT("aqua"), 0x00ffff},
        {VIEW_LIT("fuchsia"), 0xff00ff},    {VIEW_LIT("teal"), 0x008080},
        {VIEW_LIT("olive"), 0x808000},      {VIEW_LIT("orange"), 0xffa500},
        {VIEW_LIT("whitesmoke"), 0xf5f5f5}, {VIEW_LIT("snow"), 0xfffafa},
        {VIEW_LIT("ivory"), 0xfffff0},      {VIEW_LIT("lightgrey"), 0xd3d3d3},
        {VIEW_LIT("lightgray"), 0xd3d3d3},
    };
    text = view_trim(text);
    if (text.n > 0 && text.p[0] == '#')
        return hex_colour(view_slice(text, 1, text.n));
    if (view_has_prefix_nocase(
            text, VIEW_LIT("rgb("))) /* not rgba: what is behind shines through */
        return rgb_colour(view_slice(text, 4, text.n));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (view_eq_nocase(text, names[i].name))
            return names[i].colour;
    return hex_colour(text); /* bgcolor=ffffff */
}

/* The ground that "background" names: its colour stands first or last; a picture may have
 * any. */
static int32_t ground_of(struct view value)
{
    if (value.n > 0 && memmem(value.p, value.n, "(", 1) &&
        !view_has_prefix_nocase(value, VIEW_LIT("rgb(")))
        return HTML_COLOUR_UNKNOWN;
    int32_t colour = html_colour(value);
    return colour != HTML_COLOUR_UNKNOWN
               ? colour
               : html_colour(view_slice(value, 0, view_find(value, ' ')));
}

/* ---- declarations ---- */

/* Letters that nobody sees: at most one pixel or point, or a tenth of what is around. */
static bool is_tiny_size(struct view value)
{
    int64_t size;
    if (!take_milli(&value, &size))
        return false;
    value = view_trim(value);
    bool is_relative = view_has_prefix_nocase(value, VIEW_LIT("em")) ||
                       view_has_prefix_nocase(value, VIEW_LIT("rem"));
    bool is_percent = view_has_prefix(value, VIEW_LIT("%"));
    return size <= (is_relative ? 100 : is_percent ? 10000 : 1000);
}

static bool is_zero(struct view value)
{
    int64_t size;
    return take_milli(&value, &size) && size <= 0;
}

static bool is_far_off(struct view value)
{
    int64_t size;
    return take_milli(&value, &size) && size <= -500 * 1000;
}

struct box {
    bool is_flat;    /* no height or no width */
    bool is_cut_off; /* and what is larger is not shown */
};

static void declare(struct view name, struct view value, struct html_look *look,
                    struct box *box)
{
    if (view_eq_nocase(name, VIEW_LIT("display")))
        look->is_hidden |= view_has_prefix_nocase(value, VIEW_LIT("none"));
    else if (view_eq_nocase(name, VIEW_LIT("visibility")))
        look->is_hidden |= view_has_prefix_nocase(value, VIEW_LIT("hidden")) ||
                           view_has_prefix_nocase(value, VIEW_LIT("collapse"));
    else if (view_eq_nocase(name, VIEW_LIT("font-size")))
        look->is_tiny = is_tiny_size(value);
    else if (view_eq_nocase(name, VIEW_LIT("opacity")))
        look->is_hidden |= is_zero(value);
    else if (view_eq_nocase(name, VIEW_LIT("max-height")) ||
             view_eq_nocase(name, VIEW_LIT("height")) ||
             view_eq_nocase(name, VIEW_LIT("width")) ||
             view_eq_nocase(name, VIEW_LIT("max-width")))
        box->is_flat |= is_zero(value);
    else if (view_eq_nocase(name, VIEW_LIT("overflow")))
        box->is_cut_off = view_has_prefix_nocase(value, VIEW_LIT("hidden"));
    else if (view_eq_nocase(name, VIEW_LIT("text-indent")) ||
             view_eq_nocase(name, VIEW_LIT("left")) ||
             view_eq_nocase(name, VIEW_LIT("top")))
        look->is_hidden |= is_far_off(value);
    else if (view_eq_nocase(name, VIEW_LIT("color")))
        look->colour = html_colour(value);
    else if (view_eq_nocase(name, VIEW_LIT("background-color")) ||
             view_eq_nocase(name, VIEW_LIT("background")))
        look->ground = ground_of(value);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct view trim(struct view v)
{
    while (v.n > 0 && is_space(v.p[0]))
        v = view_slice(v, 1, v.n);
    while (v.n > 0 && is_space(v.p[v.n - 1]))
        v.n--;
    return v;
}

static void apply_style(struct view style, struct html_look *look)
{
    struct box box = {0};
    for (unsigned i = 0; style.n > 0 && i < DECLARATIONS_MAX; i++) {
        struct view value = view_cut(&style, ';');
        struct view name = trim(view_cut(&value, ':'));
        declare(name, trim(value), look, &box);
    }
    look->is_hidden |= box.is_flat && box.is_cut_off;
}

void html_style(const struct html_token *tag, struct html_look *look)
{
    if (strcmp(tag->name, "a") == 0)
        look->colour = HTML_COLOUR_UNKNOWN; /* the program's own colour of links */
    for (size_t i = 0; i < tag->attribute_count; i++) {
        struct view name = tag->attributes[i].name, value = tag->attributes[i].value;
        if (view_eq_nocase(name, VIEW_LIT("bgcolor")))
            look->ground = html_colour(value);
        else if (view_eq_nocase(name, VIEW_LIT("background")))
            look->ground = HTML_COLOUR_UNKNOWN;
        else if (view_eq_nocase(name, VIEW_LIT("color")) ||
                 view_eq_nocase(name, VIEW_LIT("text")))
            look->colour = html_colour(value);
        else if (view_eq_nocase(name, VIEW_LIT("hidden")))
            look->is_hidden = true;
    }
    apply_style(html_attribute(tag, "style"), look);
}

/* ---- */

static bool look_alike(int32_t a, int32_t b)
{
    if (a == HTML_COLOUR_UNKNOWN || b == HTML_COLOUR_UNKNOWN)
        return false;
    for (int shift = 0; shift < 24; shift += 8)
        if (abs((a >> shift & 255) - (b >> shift & 255)) > SAME_COLOUR)
            return false;
    return true;
}

bool html_is_visible(const struct html_look *look)
{
    return !look->is_hidden && !look->is_tiny && !look_alike(look->colour, look->ground);
}
