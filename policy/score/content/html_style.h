/* How an element of HTML looks, as far as it decides whether its text can be seen. */
#ifndef POLICY_SCORE_CONTENT_HTML_STYLE_H
#define POLICY_SCORE_CONTENT_HTML_STYLE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/score/content/html_token.h"

#define HTML_COLOUR_UNKNOWN (-1)

struct html_look {
    bool is_hidden; /* not drawn, and nothing inside is */
    bool is_tiny;   /* letters of no size; an element inside may set another one */
    int32_t colour; /* 0xRRGGBB of the letters */
    int32_t ground; /* and of what is behind them */
};

#define HTML_LOOK_DEFAULT ((struct html_look){.colour = 0, .ground = 0xffffff})

/* `*look` of the element around becomes that of the element that the tag opens: by its
 * style and by the attributes of old (bgcolor, text, color, hidden). Style sheets are not
 * read. */
void html_style(const struct html_token *tag, struct html_look *look);

bool html_is_visible(const struct html_look *look);

/* "#fff", "#ffffff", "rgb(255, 255, 255)" and common names. */
int32_t html_colour(struct view text);

#endif
