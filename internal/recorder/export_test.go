package recorder

const SoftLimit = softLimit
