using System.Runtime.CompilerServices;

// Operations take scratch space from the stack for every warp instruction, and fill what they read.
[module: SkipLocalsInit]
