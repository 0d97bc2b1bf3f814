/* main.c - the program; everything it can do is in edge/. */
#include "edge/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
