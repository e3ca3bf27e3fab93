/* A sweep as a picture: to the left hits against false alarms, each point a limit; to the
 * right both against the limit. SVG that needs nothing else: no script, no font, no style
 * sheet. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "msa/ctl/replay_sweep.h"

#define WIDTH        1060
#define HEIGHT       500
#define PANEL_WIDTH  400
#define PANEL_HEIGHT 340
#define PANEL_TOP    80
#define LEFT_PANEL   80
#define RIGHT_PANEL  580
#define TICKS_WANTED 6
#define HIT_COLOUR   "#1565a8"
#define ALARM_COLOUR "#b3261e"
#define LABEL_GAP_PX 16.0

/* One axis: numbers from 0 or `low` to `high` on `pixels`. */
struct scale {
    double low, high, step;
    double begin_px, pixels; /* negative: upward */
};

/* Round steps of 1, 2 or 5 times a power of ten, and an end that is a whole number of
 * them. */
static struct scale scale_of(double low, double high, double begin_px, double pixels)
{
    static const double round_steps[] = {1, 2, 5, 10};
    double wanted = (high > low ? high - low : 1) / TICKS_WANTED;
    double power = pow(10, floor(log10(wanted > 1 ? wanted : 1)));
    double step = power;
    for (size_t i = 0; i < 4 && step < wanted; i++)
        step = power * round_steps[i];
    double end = low + ceil((high - low) / step) * step;
    if (end <= low)
        end = low + step;
    return (struct scale){low, end, step, begin_px, pixels};
}

static double at(const struct scale *s, double value)
{
    return s->begin_px + (value - s->low) / (s->high - s->low) * s->pixels;
}

static void text(FILE *out, double x, double y, const char *anchor, const char *colour,
                 const char *words)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n",
            x, y, anchor, colour, words);
}

static void number(FILE *out, double x, double y, const char *anchor, const char *colour,
                   double n)
{
    char words[32];
    snprintf(words, sizeof words, "%.0f", n);
    text(out, x, y, anchor, colour, words);
}

static void line(FILE *out, double x1, double y1, double x2, double y2,
                 const char *colour)
{
    fprintf(out,
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1,
            y1, x2, y2, colour);
}

static void x_axis(FILE *out, const struct scale *x, const char *words)
{
    double bottom = PANEL_TOP + PANEL_HEIGHT;
    for (double n = x->low; n <= x->high + x->step / 2; n += x->step) {
        line(out, at(x, n), bottom, at(x, n), PANEL_TOP, "#e4e4e4");
        number(out, at(x, n), bottom + 20, "middle", "#333", n);
    }
    line(out, x->begin_px, bottom, x->begin_px + x->pixels, bottom, "#333");
    text(out, x->begin_px + x->pixels / 2, bottom + 44, "middle", "#333", words);
}

/* `side` is where the numbers stand: -1 to the left of `x_px`, 1 to the right. */
static void y_axis(FILE *out, const struct scale *y, double x_px, int side,
                   const char *colour, const char *words)
{
    double middle = PANEL_TOP + PANEL_HEIGHT / 2.0, words_px = x_px + side * 48;
    for (double n = y->low; n <= y->high + y->step / 2; n += y->step) {
        if (side < 0)
            line(out, x_px, at(y, n), x_px + PANEL_WIDTH, at(y, n), "#e4e4e4");
        number(out, x_px + side * 8, at(y, n) + 4, side < 0 ? "end" : "start", colour, n);
    }
    line(out, x_px, PANEL_TOP, x_px, PANEL_TOP + PANEL_HEIGHT, "#333");
    fprintf(out,
            "<text transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\" "
            "fill=\"%s\">%s</text>\n",
            words_px, middle, colour, words);
}

static void circle(FILE *out, double x, double y, const char *colour)
{
    fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", x, y, colour);
}

typedef double row_value_fn(const struct sweep_row *row);

static double hits(const struct sweep_row *row)
{
    return row->summary.abused_stopped_count;
}

static double alarms(const struct sweep_row *row)
{
    return sweep_row_troubled(row);
}

static double limit(const struct sweep_row *row)
{
    return row->limit;
}

static double highest(const struct sweep_result *s, row_value_fn *value)
{
    double most = 0;
    for (unsigned i = 0; i < s->row_count; i++)
        most = value(&s->rows[i]) > most ? value(&s->rows[i]) : most;
    return most;
}

static void curve(FILE *out, const struct sweep_result *s, const struct scale *x,
                  row_value_fn *x_of, const struct scale *y, row_value_fn *y_of,
                  const char *colour)
{
    fprintf(out, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"",
            colour);
    for (unsigned i = 0; i < s->row_count; i++)
        fprintf(out, "%.1f,%.1f ", at(x, x_of(&s->rows[i])), at(y, y_of(&s->rows[i])));
    fputs("\"/>\n", out);
    for (unsigned i = 0; i < s->row_count; i++)
        circle(out, at(x, x_of(&s->rows[i])), at(y, y_of(&s->rows[i])), colour);
}

/* Points on or near one place share one label, "2–5". */
static void point_labels(FILE *out, const struct sweep_result *s, const struct scale *x,
                         const struct scale *y)
{
    for (unsigned i = 0, last; i < s->row_count; i = last + 1) {
        double x_px = at(x, alarms(&s->rows[i])), y_px = at(y, hits(&s->rows[i]));
        char words[64];
        for (last = i; last + 1 < s->row_count; last++)
            if (hypot(at(x, alarms(&s->rows[last + 1])) - x_px,
                      at(y, hits(&s->rows[last + 1])) - y_px) >= LABEL_GAP_PX)
                break;
        snprintf(words, sizeof words, last > i ? "%" PRIu32 "–%" PRIu32 : "%" PRIu32,
                 s->rows[i].limit, s->rows[last].limit);
        text(out, x_px + 9, y_px + 5, "start", "#333", words);
    }
}

static void left_panel(FILE *out, const struct sweep_result *s, double abused_count)
{
    struct scale x = scale_of(0, highest(s, alarms), LEFT_PANEL, PANEL_WIDTH);
    struct scale y = scale_of(0, abused_count, PANEL_TOP + PANEL_HEIGHT, -PANEL_HEIGHT);
    text(out, LEFT_PANEL, PANEL_TOP - 14, "start", "#333",
         "Hits against false alarms; each point is a limit");
    x_axis(out, &x, "lawful accounts suspended, refused or deferred");
    y_axis(out, &y, LEFT_PANEL, -1, "#333", "abused accounts suspended");
    curve(out, s, &x, alarms, &y, hits, HIT_COLOUR);
    point_labels(out, s, &x, &y);
}

static void right_panel(FILE *out, const struct sweep_result *s, double abused_count)
{
    struct scale x = scale_of(s->sweep.from, s->sweep.to, RIGHT_PANEL, PANEL_WIDTH);
    struct scale y = scale_of(0, abused_count, PANEL_TOP + PANEL_HEIGHT, -PANEL_HEIGHT);
    struct scale y2 =
        scale_of(0, highest(s, alarms), PANEL_TOP + PANEL_HEIGHT, -PANEL_HEIGHT);
    text(out, RIGHT_PANEL, PANEL_TOP - 14, "start", "#333", "Both against the limit");
    x_axis(out, &x, "limit");
    y_axis(out, &y, RIGHT_PANEL, -1, HIT_COLOUR, "abused accounts suspended");
    y_axis(out, &y2, RIGHT_PANEL + PANEL_WIDTH, 1, ALARM_COLOUR,
           "lawful accounts suspended, refused or deferred");
    curve(out, s, &x, limit, &y2, alarms, ALARM_COLOUR);
    curve(out, s, &x, limit, &y, hits, HIT_COLOUR);
}

void sweep_plot(const struct sweep_result *s, FILE *out)
{
    double abused_count = s->row_count > 0 ? s->rows[0].summary.abused_count : 0;
    fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
        "height=\"%d\" font-family=\"sans-serif\" font-size=\"13\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
        "<text x=\"%d\" y=\"34\" font-size=\"17\" fill=\"#111\">%s.limit = %" PRIu32
        " … %" PRIu32 "</text>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT_PANEL, s->sweep.rule, s->sweep.from,
        s->sweep.to);
    left_panel(out, s, abused_count);
    right_panel(out, s, abused_count);
    fputs("</svg>\n", out);
}
