import { describeTraining } from '../describe-training.ts';
import { counterpart } from './counterpart.ts';

// Thousands of steps follow each other, so that what is rounded otherwise grows.
describeTraining(counterpart, 'image-api', 0.05);
