"""The learners' losses, computed plainly: one attempt at a time, with all logits, gradients left to autograd."""

import torch


def own_distributions(model, prompt, episode, temperature):
    """Log-probs (T, V) at the tokens that the policy sampled, and these tokens (T,)."""
    logits = model(torch.tensor([[*prompt, *episode.continuation_ids]])).logits[0, len(prompt) - 1 : -1]
    own = torch.tensor(episode.loss_mask)
    return (logits[own] / temperature).log_softmax(-1), torch.tensor(episode.continuation_ids)[own]


def distillation_losses(config, student, teacher, episode, prompt):
    """SDPO's losses (T,), the teacher shown `prompt`."""
    log_p, tokens = own_distributions(student, episode.prompt_ids, episode, config.temperature)
    with torch.no_grad():
        log_q, _ = own_distributions(teacher, prompt, episode, config.temperature)
    clip = config.advantage_clip
    if config.level != "logit":
        chosen = log_p.gather(1, tokens[:, None]).squeeze(1)
        advantages = (log_q.gather(1, tokens[:, None]).squeeze(1) - chosen.detach()).clamp(-clip, clip)
        if config.level == "sequence":
            advantages = advantages.mean()
        return -advantages * chosen
    if config.top_k:
        indices = (log_q if config.top_k_of == "teacher" else log_p.detach()).topk(config.top_k).indices
        log_p, log_q = (coarse(logprobs, indices, config.tail) for logprobs in (log_p, log_q))
    log_q = log_p.detach() + (log_q - log_p.detach()).clamp(-clip, clip)
    if config.divergence == "reverse_kl":
        return kl(log_p, log_q)
    if config.divergence == "forward_kl":
        return kl(log_q, log_p)
    alpha = config.jsd_alpha
    log_m = ((1 - alpha) * log_p.exp() + alpha * log_q.exp()).log()
    return (1 - alpha) * kl(log_p, log_m) + alpha * kl(log_q, log_m)


def coarse(logprobs, indices, tail):
    top = logprobs.exp().gather(1, indices)
    rest = 1 - top.sum(1, keepdim=True)
    return torch.cat([top, rest], dim=1).log() if tail else (top / (1 - rest)).log()


def kl(log_p, log_q):
    return (log_p.exp() * (log_p - log_q)).sum(1)


def policy_gradient_losses(config, student, initial, episode, advantage, old):
    """GRPO's losses (T,); `old` (T,) are the log-probs before the batch's first step, None where there was none."""
    log_p, tokens = own_distributions(student, episode.prompt_ids, episode, config.temperature)
    chosen = log_p.gather(1, tokens[:, None]).squeeze(1)
    ratio = (chosen - (chosen.detach() if old is None else old)).exp()
    if config.surrogate == "cispo":
        losses = -ratio.detach().clamp(max=1 + config.clip_high) * advantage * chosen
    else:
        if config.ratio == "sequence":  # GSPO-token: the value of the mean, each token's own gradient
            ratio = ratio.detach().log().mean().exp() * (chosen - chosen.detach()).exp()
        clipped = ratio.clamp(1 - config.clip_low, 1 + config.clip_high)
        objective = torch.minimum(ratio * advantage, clipped * advantage)
        if advantage < 0:
            objective = objective.clamp(min=config.dual_clip * advantage)
        losses = -objective
    losses = losses * sampler_weights(config, episode, chosen, old)
    if config.kl_coef:
        with torch.no_grad():
            log_q, _ = own_distributions(initial, episode.prompt_ids, episode, config.temperature)
        difference = log_q.gather(1, tokens[:, None]).squeeze(1) - chosen
        losses = losses + config.kl_coef * (difference.exp() - difference - 1)
    return losses


def sampler_weights(config, episode, chosen, old):
    """The truncated importance weights (T,) between trainer and sampler."""
    sampled = torch.tensor([logprob for turn in episode.turns for logprob in turn.logprobs]).double()
    return ((chosen.detach() if old is None else old) - sampled).exp().clamp(max=config.tis_cap)


def group_advantages(rewards, kind):
    rewards = torch.tensor(rewards).double()
    if kind == "leave_one_out":
        others = (rewards.sum() - rewards) / (len(rewards) - 1)
        return (rewards - others).tolist()
    centred = rewards - rewards.mean()
    return (centred / (rewards.std(correction=0) + 1e-6) if kind == "mean_std" else centred).tolist()
