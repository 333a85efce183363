# bayesm's Gibbs sampler on the electricity data: one normal component, default priors, one chain.
# Usage: Rscript bayesm_sample.R ROWS.csv DRAWS SEED OUT.csv
# ROWS.csv: person, situation, chosen, then the attributes, four rows a situation, in order.
# OUT.csv: a draw a line: 6 means, then the 36 entries of the covariance, then the seconds spent.
suppressMessages(library(bayesm))
argument <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(argument[1])
attributes <- as.matrix(rows[, -(1:3)])
p <- 4
people <- lapply(split(seq_len(nrow(rows)), rows$person), function(own) {
  choice <- matrix(rows$chosen[own], nrow = p)
  list(y = apply(choice, 2, which.max), X = attributes[own, , drop = FALSE])
})
set.seed(as.integer(argument[3]))
begun <- proc.time()[["elapsed"]]
invisible(capture.output(
  fit <- rhierMnlRwMixture(
    Data = list(p = p, lgtdata = unname(people)),
    Prior = list(ncomp = 1),
    Mcmc = list(R = as.integer(argument[2]), keep = 1, nprint = 0)
  )
))
seconds <- proc.time()[["elapsed"]] - begun
draws <- t(vapply(fit$nmix$compdraw, function(draw) {
  root <- draw[[1]]$rooti # the inverse of the upper Cholesky factor of the covariance
  c(draw[[1]]$mu, chol2inv(chol(tcrossprod(root))), seconds)
}, numeric(ncol(attributes) * (ncol(attributes) + 1) + 1)))
write.table(draws, argument[4], sep = ",", row.names = FALSE, col.names = FALSE)
