/* msactl: see msa/ctl/ctl.h. */
#include "msa/ctl/ctl.h"

int main(int argc, char *argv[])
{
    return ctl_main(argc, argv);
}
