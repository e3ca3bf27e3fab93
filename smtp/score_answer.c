#include "smtp/score_answer.h"

#define NAME_MAX_BYTES    96
#define DIGITS_MAX        7 /* a million points */
#define DECIMALS_MAX      3
#define FINGERPRINT_BYTES 8

static bool is_name(struct view name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
            return false;
    return name.n > 0 && name.n <= NAME_MAX_BYTES;
}

static bool are_digits(struct view text, size_t max)
{
    for (size_t i = 0; i < text.n; i++)
        if (!ascii_is_digit(text.p[i]))
            return false;
    return text.n > 0 && text.n <= max;
}

/* "1.5", "-20": neither "nan" nor "inf" nor "1e9". */
static bool are_points(struct view text)
{
    if (text.n > 0 && text.p[0] == '-')
        text = view_slice(text, 1, text.n);
    bool has_point = view_find(text, '.') < text.n;
    struct view whole = view_cut(&text, '.');
    return are_digits(whole, DIGITS_MAX) && (!has_point || are_digits(text, DECIMALS_MAX));
}

static bool are_findings(struct view lines)
{
    while (lines.n > 0) {
        struct view points = view_cut(&lines, '\n');
        struct view name = view_cut(&points, ' ');
        if (!is_name(name) || !are_points(points))
            return false;
    }
    return true;
}

/* It becomes part of a reply's line. */
static bool is_reply_text(struct view text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] >= 0x7f)
            return false;
    return true;
}

const char *score_answer_fault(const struct msg_score_answer *a)
{
    if (a->score_milli > IPC_SCORE_MILLI_MAX || a->score_milli < -IPC_SCORE_MILLI_MAX)
        return "it sent a score that is out of bounds";
    if (a->action > SCORE_ACTION_REFUSE)
        return "it sent a score with an action that there is not";
    if (!are_findings(a->findings))
        return "it sent a score with findings that are none";
    if (a->fingerprints.n % FINGERPRINT_BYTES != 0)
        return "it sent a score with half a fingerprint";
    return is_reply_text(a->text) ? NULL : "it sent a score with a text that is no reply";
}
