import { describeTraining } from '../describe-training.ts';
import { counterpart } from './counterpart.ts';

// Over thousands of steps, differences in rounding grow.
describeTraining(counterpart, 'image-api', 0.05);
