/* What was learnt, in the score of a message: points, and mail in files. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msa/ctl/command.h"
#include "msa/ctl/mail_files.h"
#include "policy/score/bayes.h"

TestSuite(score_learn, .timeout = 30);

Test(score_learn, points_mean_suspect_where_the_classifier_means_spam)
{
    static const struct {
        int32_t score_milli, weight_milli, want;
    } vectors[] = {
        {0, 1000, -2500},     {5000, 1000, 5000}, {10000, 1000, 7500}, {2500, 1000, 1250}, {7500, 1000, 6250},
        {-5, 1000, -2500},    {99999, 1000, 7500}, {0, 0, 0},           {5000, 500, 2500},  {10000, 10000, 75000},
        {4999, 1000, 4998},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        cr_expect_eq(bayes_points_milli(vectors[i].score_milli, vectors[i].weight_milli), vectors[i].want, "%zu", i);
    for (int32_t s = 1; s <= 10000; s++)
        cr_assert_geq(bayes_points_milli(s, 1000), bayes_points_milli(s - 1, 1000));
}

Test(score_learn, the_finding_says_why_within_its_bounds)
{
    struct findings f;
    struct model_result r = {.score_milli = 7800, .reason_count = MODEL_REASONS_MAX};
    for (unsigned i = 0; i < MODEL_REASONS_MAX; i++) {
        memset(r.reasons[i].label, 'x', FEATURE_LABEL_BYTES - 1);
        r.reasons[i].milli = -1000000;
    }
    findings_init(&f);
    bayes_add(&r, 1000, &f);
    snprintf(r.reasons[0].label, sizeof r.reasons[0].label, "shape:html-only");
    r.reason_count = 1;
    bayes_add(&r, 1000, &f);
    cr_assert_eq(f.count, 2);
    cr_expect_eq(f.total_milli, 2 * 6400);
    cr_expect(view_eq(f.items[0].name, VIEW_LIT("BAYES")));
    cr_expect_leq(f.items[0].text.n, FINDING_TEXT_MAX);
    cr_expect(view_eq(f.items[1].text,
                      VIEW_LIT("By what was learnt, 7.8 of 10, spam from 5 on: shape:html-only -1000.0.")));
    findings_fini(&f);
}

/* ---- mailboxes ---- */

static char seen[512];

static bool see(void *arg, struct view message)
{
    unsigned *left = arg;
    size_t n = strlen(seen);
    snprintf(seen + n, sizeof seen - n, "%.*s|", (int)message.n, message.p);
    return --*left > 0;
}

static bool split(const char *file, unsigned most)
{
    seen[0] = '\0';
    return mail_file_split(view_cstr(file), see, &most);
}

Test(score_learn, a_mailbox_is_split_at_its_from_lines)
{
#define FROM "From a@b.example  Tue Jul  1 09:00:00 2025\n"
    static const struct {
        const char *file, *want;
    } vectors[] = {
        {"", ""},
        {"Subject: x\n\nbody\n\n" FROM "more\n", "Subject: x\n\nbody\n\n" FROM "more\n|"}, /* no mailbox */
        {FROM "A: 1\n\none\n", "A: 1\n\none\n|"},
        {FROM "A: 1\n\none\n\n" FROM "B: 2\n\ntwo", "A: 1\n\none\n\n|B: 2\n\ntwo|"},
        {FROM "A: 1\r\n\r\none\r\n\r\n" FROM "B: 2\r\n", "A: 1\r\n\r\none\r\n\r\n|B: 2\r\n|"},
        {FROM "A: 1\n\nFrom here on it is text\n", "A: 1\n\nFrom here on it is text\n|"},
        {FROM "A: 1\n\none\n" FROM "two\n", "A: 1\n\none\n" FROM "two\n|"}, /* no empty line */
        {FROM, ""},
        {"From", "From|"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        cr_expect(split(vectors[i].file, 9), "%zu", i);
        cr_expect_str_eq(seen, vectors[i].want, "%zu", i);
    }
    cr_expect_not(split(FROM "A: 1\n\n" FROM "B: 2\n", 1));
    cr_expect_str_eq(seen, "A: 1\n\n|");
}

/* ---- directories ---- */

static bool note(void *arg, const char *path)
{
    const char *name = strrchr(path, '/');
    (void)arg;
    size_t n = strlen(seen);
    snprintf(seen + n, sizeof seen - n, "%s|", name ? name + 1 : path);
    return true;
}

static void put(const char *dir, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fclose(file);
}

Test(score_learn, a_directory_gives_its_messages_in_order)
{
    char dir[] = "/tmp/msad-learn-XXXXXX", cur[64];
    bool has_failed = false;
    cr_assert_not_null(mkdtemp(dir));
    snprintf(cur, sizeof cur, "%s/cur", dir);
    cr_assert_eq(mkdir(cur, 0700), 0);
    put(dir, "b.eml");
    put(dir, "A.EML");
    put(dir, "notes.txt");
    put(cur, "1720:2,S");
    put(cur, ".hidden");
    seen[0] = '\0';
    cr_expect(mail_path_walk(dir, note, NULL, &has_failed));
    cr_expect_str_eq(seen, "A.EML|b.eml|1720:2,S|");
    cr_expect(mail_path_walk("-", note, NULL, &has_failed));
    cr_expect_not(has_failed);
    snprintf(cur, sizeof cur, "%s/nothing", dir);
    cr_expect_not(mail_path_walk(cur, note, NULL, &has_failed));
    cr_expect(has_failed);
}

/* ---- the command line ---- */

Test(score_learn, what_stands_behind_ham_is_ham)
{
    static const struct {
        const char *words[6];
        bool is_fine;
        size_t word_count;
    } lines[] = {
        {{"score", "train", "--ham", "a", "--spam", "b"}, true, 4},
        {{"score", "train"}, true, 0},
        {{"score", "learn", "--spam", "-"}, true, 2},
        {{"score", "learn", "a"}, false, 0},
        {{"score", "learn"}, false, 0},
        {{"score", "learn", "--spam"}, false, 0},
        {{"score", "train", "a", "--ham", "b"}, false, 0},
        {{"score", "check", "--ham", "b"}, false, 0},
        {{"account", "show", "--ham"}, false, 0},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char *argv[9] = {"msactl", "--json"};
        int argc = 2;
        struct ctl_line line;
        char error[COMMAND_ERROR_MAX] = "";
        while (argc < 8 && lines[i].words[argc - 2]) {
            argv[argc] = (char *)(uintptr_t)lines[i].words[argc - 2];
            argc++;
        }
        cr_assert_eq(ctl_command_parse(argc, argv, &line, error) == 0, lines[i].is_fine, "%zu: %s", i, error);
        if (lines[i].is_fine)
            cr_expect_eq(line.word_count, lines[i].word_count, "%zu", i);
    }
}
