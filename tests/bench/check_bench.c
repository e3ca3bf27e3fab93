/* check_bench: what one comparison with a stored password costs, in milliseconds of CPU: the part of a sign-in that is
 * slow on purpose. One number on stdout, the median of several runs. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/scram.h"
#include "msa/base/err.h"

#define RUNS          9
#define CHECKS_IN_RUN 50
#define ITERATIONS    4096 /* auth.scram_iterations where nothing is set */

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    struct scram_verifier v;
    double runs_ms[RUNS];
    if (scram_make(VIEW_LIT("the right one"), ITERATIONS, &v) != MSA_OK)
        return 1;
    for (int i = 0; i < RUNS; i++) {
        double began_ms = cpu_ms();
        for (int n = 0; n < CHECKS_IN_RUN; n++)
            if (scram_matches(&v, VIEW_LIT("a wrong one")))
                return 1;
        runs_ms[i] = (cpu_ms() - began_ms) / CHECKS_IN_RUN;
    }
    qsort(runs_ms, RUNS, sizeof runs_ms[0], by_size);
    printf("%.4f\n", runs_ms[RUNS / 2]);
    return 0;
}
