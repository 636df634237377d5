"""Operations as detached processes that leave a journal."""
